// Looks until this Rota leads; then the board is there.
const EVERY_MS = 3000;

async function look() {
  try {
    const answer = await fetch("/api/v1/health", { cache: "no-store" });
    if (answer.status !== 503) {
      location.reload();
      return;
    }
  } catch {
    // it is being started again; the next look may find it
  }
  setTimeout(look, EVERY_MS);
}

setTimeout(look, EVERY_MS);
