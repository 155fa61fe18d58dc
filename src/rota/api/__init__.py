"""The HTTP API and who may do what. `schemas` is all that the command line and the web pages know of Rota."""
