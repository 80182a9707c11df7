/** A real Trainyard process, with SQLite or with Postgres, Redis and S3, and the administrator's API. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ADMIN = { email: "admin@example.com", password: "correct horse battery" };
const BINARY = process.env.TRAINYARD_BINARY ?? new URL("../../../target/debug/trainyard", import.meta.url).pathname;
const START_MS = 30_000;
/** Starts private Postgres, Redis and S3 servers and prints their settings: see `make services`. */
const SERVICES = process.env.SERVICES_BINARY ?? new URL("../../../target/debug/services", import.meta.url).pathname;

const READY = /Trainyard is ready[\s\S]*?(http:\/\/[\d.]+:\d+)/;

/** The output of a process as soon as it matches. */
function printed(child: ChildProcess, pattern: RegExp, name: string): Promise<string> {
  let output = "";
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`${name} did not start:\n${output}`));
    const timer = setTimeout(fail, START_MS);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (!pattern.test(output)) return;
      clearTimeout(timer);
      child.off("exit", fail);
      for (const stream of [child.stdout, child.stderr]) stream?.off("data", read).resume();
      resolve(output);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.on("exit", fail);
  });
}

export class Server {
  #process: ChildProcess | null = null;
  #services: ChildProcess | null = null;
  #token = "";
  url = "";

  private constructor(
    private readonly folder: string,
    private readonly settings: Record<string, string>,
  ) {}

  static async start(settings: Record<string, string> = {}): Promise<Server> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} does not exist; run cargo build, or set TRAINYARD_BINARY`);
    const server = new Server(mkdtempSync(join(tmpdir(), "trainyard-console-")), { ...settings });
    if (process.env.STACK === "services") await server.#startServices();
    await server.resume("127.0.0.1:0");
    return server;
  }

  async #startServices(): Promise<void> {
    if (!existsSync(SERVICES)) throw new Error(`${SERVICES} does not exist; run cargo build --workspace --bins`);
    const child = spawn(SERVICES, { stdio: ["ignore", "pipe", "inherit"] });
    this.#services = child;
    const output = await printed(child, /# running/, "the services");
    for (const [, name, value] of output.matchAll(/^export (\w+)=(.*)$/gm)) {
      if (name && value !== undefined) this.settings[name] = value;
    }
  }

  /** Starts the process, also again on its data and at its old address. */
  async resume(listen = this.url.replace("http://", "")): Promise<void> {
    const environment = {
      PATH: process.env.PATH,
      ADMIN_EMAIL: ADMIN.email,
      ADMIN_PASSWORD: ADMIN.password,
      TRAINYARD__SERVER__MODE: "development",
      TRAINYARD__AUTH__BCRYPT_COST: "4",
      ...this.settings,
    };
    const child = spawn(BINARY, ["up", "--listen", listen, "--data-dir", join(this.folder, "data")], {
      env: environment as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#process = child;
    const output = await printed(child, READY, "trainyard");
    this.url = READY.exec(output)?.[1] ?? "";
  }

  /** Ends the process at once, as a crash does. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    const services = this.#services;
    if (services && services.exitCode === null) {
      const ended = new Promise((resolve) => services.once("exit", resolve));
      services.kill("SIGINT");
      await ended;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Sends a request as the administrator; the JSON of a successful answer. */
  async call<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T> {
    if (!this.#token && path !== "/login") {
      this.#token = (await this.call<{ access_token: string }>("POST", "/login", ADMIN)).access_token;
    }
    const isCsv = typeof body === "string";
    const response = await fetch(this.url + path, {
      method,
      headers: {
        ...(this.#token ? { authorization: `Bearer ${this.#token}` } : {}),
        ...(body === undefined ? {} : { "content-type": isCsv ? "text/csv" : "application/json" }),
      },
      ...(body === undefined ? {} : { body: isCsv ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text ? JSON.parse(text) : {}) as T;
  }

  /** Submits a job and waits for its end. */
  async train(job: Record<string, unknown>): Promise<{ job_id: string; status: string }> {
    const defaults = { algorithm: "random_forest", features: ["sex", "age", "pclass"], params: { n_trees: 20 } };
    const { job_id } = await this.call<{ job_id: string }>("POST", "/training", { ...defaults, ...job });
    for (;;) {
      const view = await this.call<{ job_id: string; status: string }>("GET", `/training/${job_id}?wait_s=20`);
      if (["succeeded", "failed", "cancelled"].includes(view.status)) return view;
    }
  }

  /** A new account with the role user. */
  async user(email: string): Promise<{ email: string; password: string }> {
    const account = { email, password: "long enough" };
    await this.call("POST", "/signup", account);
    return account;
  }
}
