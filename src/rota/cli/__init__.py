"""The command line. It talks to the daemon through the API alone, and imports little, so that it starts fast."""
