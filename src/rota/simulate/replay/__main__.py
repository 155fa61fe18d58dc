"""`python -m rota.simulate.replay`: what `rota replay` becomes."""

from rota.simulate.replay.command import main

if __name__ == "__main__":
    main()
