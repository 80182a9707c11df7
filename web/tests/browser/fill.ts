/** Fills a server with what every page can show. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Server } from "./server";

export interface Filled {
  jobs: { done: string; failed: string; regression: string; search: string };
  schedule: string;
}

export async function fill(server: Server): Promise<Filled> {
  const hooks = await receiver();
  const rows = Array.from(
    { length: 300 },
    (_, at) =>
      `${at % 7},${["north", "south", "east"][at % 3]},${at % 11},${(at % 7) * 12 + (at % 11) * 5 + ((at * 37) % 9)}`,
  );
  await server.call("POST", "/datasets?name=sales-2024", `visits,region,staff,revenue\n${rows.join("\n")}\n`);
  const features = ["sex", "age", "pclass", "fare", "embarked"];
  const first = await server.train({ name: "titanic-rf", features, webhook_url: `${hooks.url}/hooks/models?key=1` });
  const evaluation = {
    cv: 3,
    permutation_repeats: 3,
    learning_curve: "on",
    calibration: "platt",
    tune_threshold: "f1",
  };
  await server.train({ name: "titanic-rf", seed: 7, params: { n_trees: 60, max_depth: 6, ...evaluation } });
  await server.train({ name: "titanic-lr", algorithm: "logistic_regression", params: {} });
  const auto = { algorithm: "auto", params: { budget_s: 30, max_trials: 5 } };
  const search = await server.train({ name: "titanic-auto", features, ...auto });
  const sales = { name: "revenue", dataset: "sales-2024", target: "revenue", features: ["*"] };
  const regression = await server.train(sales);
  const many = Array.from({ length: 20_000 }, (_, at) => `${Math.imul(at, 2_654_435_761) >>> 8},${at % 2}`);
  await server.call("POST", "/datasets?name=noise", `x,y\n${many.join("\n")}\n`);
  const noise = { dataset: "noise", target: "y", features: ["x"], params: { n_trees: 2000 } };
  const failed = await server.train({ name: "noise", ...noise, timeout_s: 1, max_attempts: 1 });
  await server.call("POST", "/training", {
    name: "nightly",
    algorithm: "random_forest",
    features: ["*"],
    run_at: "2999-01-01T00:00:00Z",
  });
  const { id } = await server.call<{ id: string }>("POST", "/schedules", {
    name: "nightly-sales",
    cron: "30 2 * * *",
    timezone: "Europe/Berlin",
    spec: { algorithm: "random_forest", ...sales },
  });
  await server.call("POST", `/schedules/${id}/trigger`);
  for (const role of ["user", "admin"]) {
    await server.call("POST", "/admin/users", { email: `${role === "user" ? "grace" : "hedy"}@example.com`, role });
  }
  await hooks.received;
  hooks.close();
  return {
    jobs: { done: first.job_id, failed: failed.job_id, regression: regression.job_id, search: search.job_id },
    schedule: id,
  };
}

/** A receiver of webhooks on this machine. */
export async function receiver(): Promise<{ url: string; received: Promise<void>; close: () => void }> {
  let report = () => {};
  const received = new Promise<void>((resolve) => {
    report = resolve;
  });
  const http = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      response.end();
      report();
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    received,
    close: () => http.close(),
  };
}
