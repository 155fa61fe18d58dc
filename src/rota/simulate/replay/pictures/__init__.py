"""Pictures of replays: Altair charts, written as SVG and PNG. Imported only when pictures are asked for."""
