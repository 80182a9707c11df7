/** Runs `work` in one tab at a time. */
export async function acrossTabs<T>(name: string, work: () => Promise<T>): Promise<T> {
  // Browsers offer locks only over https and on localhost.
  if (typeof navigator !== "undefined" && navigator.locks) return navigator.locks.request(name, work);
  const release = await storageLock(name);
  try {
    return await work();
  } finally {
    release();
  }
}

/** A tab that is closed while it has the lock blocks the others for this long. */
const EXPIRES_MS = 8_000;
const RETRY_MS = 40;

/**
 * A lock in the local storage: write, wait, and check that no other tab wrote later. Two tabs can still pass together after
 * a long pause of the browser; the server then gives both the same tokens.
 */
async function storageLock(name: string): Promise<() => void> {
  const key = `trainyard.lock.${name}`;
  const own = `${Math.random().toString(36).slice(2)}`;
  for (;;) {
    const [, until] = (localStorage.getItem(key) ?? "").split(":");
    if (Number(until ?? 0) < Date.now()) {
      localStorage.setItem(key, `${own}:${Date.now() + EXPIRES_MS}`);
      await pause(RETRY_MS);
      if (localStorage.getItem(key)?.startsWith(`${own}:`)) return () => localStorage.removeItem(key);
    }
    await pause(RETRY_MS);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
