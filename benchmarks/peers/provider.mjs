// node-oidc-provider with its tokens in memory: introspection, and userinfo with DPoP.
import { writeFileSync } from "node:fs";

import Provider from "oidc-provider";

// Its own adapter for trials keeps some thousand rows, and the proofs of a round push the tokens out.
const rows = new Map();
class Memory {
  constructor(model) {
    this.model = model;
  }
  async upsert(id, payload) {
    rows.set(`${this.model}:${id}`, payload);
  }
  async find(id) {
    return rows.get(`${this.model}:${id}`);
  }
  async destroy(id) {
    rows.delete(`${this.model}:${id}`);
  }
}

const { port, jkt, path } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  adapter: Memory,
  clients: [{ client_id: "bench", client_secret: "bench", redirect_uris: ["https://rp.example.com/cb"],
    token_endpoint_auth_method: "client_secret_post" }],
  features: {
    introspection: { enabled: true, allowedPolicy: () => true },
    dPoP: { enabled: true },
    devInteractions: { enabled: false },
    userinfo: { enabled: true },
  },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
});
const client = await provider.Client.find("bench");
const grant = new provider.Grant({ accountId: "user-1", clientId: "bench" });
grant.addOIDCScope("openid");
const grantId = await grant.save();
async function token(thumbprint) {
  const made = new provider.AccessToken({ accountId: "user-1", client, grantId, scope: "openid", gty: "authorization_code" });
  if (thumbprint) made.setThumbprint("jkt", thumbprint);
  return made.save();
}
const tokens = { bearer: await token(), bound: await token(jkt) };
writeFileSync(path, JSON.stringify(tokens));
provider.listen(port, "127.0.0.1");
