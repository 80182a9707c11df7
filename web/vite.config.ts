import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The paths of the API, which `make web-dev` passes to a running server. */
const API_PATHS = [
  "admin",
  "algorithms",
  "api-keys",
  "datasets",
  "docs",
  "health",
  "inference",
  "login",
  "logout",
  "me",
  "models",
  "openapi.json",
  "predictions",
  "queue",
  "refresh",
  "schedules",
  "signup",
  "training",
  "webhooks",
  "console/settings.json",
];
const api = process.env.TRAINYARD_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/console/",
  plugins: [react(), tailwindcss()],
  build: {
    // scripts/clean.mjs empties the folder and keeps the file that git tracks.
    emptyOutDir: false,
    target: "es2022",
    // A strict Content-Security-Policy allows no data: scripts and no inline ones.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: "manifest.json",
  },
  server: {
    proxy: Object.fromEntries(API_PATHS.map((path) => [`^/${path}(/|\\?|$)`, { target: api }])),
  },
  test: { include: ["src/**/*.test.ts", "tests/generated.test.ts", "tests/sizes.test.ts"], environment: "node" },
});
