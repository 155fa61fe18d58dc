"""Where turns run. An engine starts a turn, ends it politely and reports what happened; it knows no policy."""
