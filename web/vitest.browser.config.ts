import { defineConfig } from "vitest/config";

const shared = {
  environment: "node" as const,
  testTimeout: 60_000,
  hookTimeout: 60_000,
};

export default defineConfig({
  test: {
    // One browser and one server at a time: the machine is small.
    fileParallelism: false,
    projects: [
      { test: { ...shared, name: "embedded", include: ["tests/browser/*.test.ts"], fileParallelism: false } },
      {
        test: {
          ...shared,
          name: "services",
          // What people do; how pages look does not depend on the storage.
          include: ["tests/browser/{accounts,guards,journey,operate}.test.ts"],
          env: { STACK: "services" },
          fileParallelism: false,
        },
      },
    ],
  },
});
