"""A laboratory's past replayed under any policy: the same policy that runs live, in a virtual clock."""
