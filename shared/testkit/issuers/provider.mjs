// An OpenID provider on loopback: node provider.mjs PORT. Clients get signed JWT access tokens with client credentials.
// POST /test/rotate replaces the signing keys, POST /test/fail?on=true makes /jwks answer 500, and GET /test/fetches
// returns the number of key requests.
import { createServer } from "node:http";
import { generateKeyPairSync, randomUUID } from "node:crypto";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const AUDIENCE = "urn:trainyard";

const KEYS = {
  RS256: () => generateKeyPairSync("rsa", { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync("ec", { namedCurve: "P-256" }),
  EdDSA: () => generateKeyPairSync("ed25519"),
};

function newKeys() {
  return Object.entries(KEYS).map(([alg, generate]) => {
    const jwk = generate().privateKey.export({ format: "jwk" });
    return { ...jwk, kid: `${alg}-${randomUUID()}`, use: "sig", alg };
  });
}

// The client id defines the claims of its token: JSON in base64url.
function chosen(client) {
  try {
    return JSON.parse(Buffer.from(client.clientId, "base64url").toString());
  } catch {
    return {};
  }
}

function newProvider() {
  const provider = new Provider(issuer, {
    jwks: { keys: newKeys() },
    clients: [],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, resource, client) => ({
          scope: "train",
          audience: chosen(client).aud ?? resource,
          accessTokenFormat: "jwt",
          accessTokenTTL: chosen(client).ttl ?? 600,
          jwt: { sign: { alg: chosen(client).alg ?? "RS256" } },
        }),
      },
    },
    extraTokenClaims: (_, token) => chosen(token.client).claims ?? {},
    adapter: Clients,
  });
  return provider;
}

// Every client exists: its id contains its configuration. The provider stores nothing between requests.
class Clients {
  constructor(name) {
    this.name = name;
  }
  async find(id) {
    if (this.name !== "Client") return undefined;
    return {
      client_id: id,
      client_secret: "not a secret",
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      token_endpoint_auth_method: "client_secret_post",
    };
  }
  async upsert() {}
  async destroy() {}
  async consume() {}
  async findByUid() {}
  async findByUserCode() {}
  async revokeByGrantId() {}
}

let handler = newProvider().callback();
let failing = false;
let fetches = 0;

const server = createServer((request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === "/test/rotate") {
    handler = newProvider().callback();
    return response.end();
  }
  if (url.pathname === "/test/fail") {
    failing = url.searchParams.get("on") === "true";
    return response.end();
  }
  if (url.pathname === "/test/fetches") return response.end(String(fetches));
  if (url.pathname === "/jwks") {
    fetches += 1;
    if (failing) {
      response.statusCode = 500;
      return response.end();
    }
  }
  handler(request, response);
});
server.listen(port, "127.0.0.1", () => console.log("listening"));
