"""`python -m rota.simulate.forecasts`: what `rota forecast score --trace` becomes."""

from rota.simulate.forecasts.command import main

if __name__ == "__main__":
    main()
