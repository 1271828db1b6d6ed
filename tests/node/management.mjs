// Authlete's management operations by its TypeScript SDK, unmodified: each answer passes the SDK's
// own schemas. Then every path that the SDK knows is asked for, to see which are no part of this
// server.
import { readFileSync, readdirSync } from "node:fs";
import { Authlete } from "@authlete/typescript-sdk";

const { base, organizationToken, serviceToken, serviceId } = JSON.parse(process.argv[2]);
const owner = new Authlete({ serverURL: base, bearer: organizationToken });
const said = {};

const made = await owner.service.create({ serviceName: "From Node", dpopNonceDuration: 60 });
said.service = { ...made, apiKey: typeof made.apiKey };
const ours = String(made.apiKey);
const changed = await owner.service.update({
  serviceId: ours,
  service: { serviceName: "Renamed", grantManagementEndpoint: "https://as.example.com/gm" },
});
said.renamed = [changed.serviceName, changed.grantManagementEndpoint, changed.dpopNonceDuration];
said.got = (await owner.service.get({ serviceId: ours })).serviceName;
const listed = await owner.service.list({ start: 0, end: 10 });
said.services = [listed.start, listed.end, listed.totalCount, listed.services.length];
said.deleted = (await owner.service.delete({ serviceId: ours })) ?? null;
said.gone = await status(() => owner.service.get({ serviceId: ours }));

const authlete = new Authlete({ serverURL: base, bearer: serviceToken });
said.notItsOwn = await status(() => authlete.service.get({ serviceId }));
const client = await authlete.client.create({
  serviceId,
  client: { clientName: "Budget", clientIdAlias: "budget", clientType: "CONFIDENTIAL" },
});
said.client = { ...client, clientId: typeof client.clientId };
const clientId = String(client.clientId);
said.nameless = (await authlete.client.create({ serviceId, client: {} })).clientIdAliasEnabled;
said.clientGot = (await authlete.client.get({ serviceId, clientId })).clientName;
said.clientLocked = (
  await authlete.client.update({ serviceId, clientId, client: { locked: true } })
).locked;
await authlete.client.update({ serviceId, clientId, client: { locked: false } });
const clients = await authlete.client.list({ serviceId, start: 1, end: 3 });
said.clients = [clients.start, clients.end, clients.totalCount, clients.clients.length];

const scopes = ["read"];
const tokens = authlete.token.management;
const create = () =>
  tokens.create({
    serviceId,
    tokenCreateRequest: {
      grantType: "AUTHORIZATION_CODE",
      clientId: client.clientId,
      subject: "user/1",
      scopes,
    },
  });
const { accessToken } = await create();
const page = await tokens.list({ serviceId, clientIdentifier: "budget", subject: "user/1" });
const [one] = page.accessTokens;
said.tokens = [page.totalCount, page.client.clientName, page.subject, one.scopes, one.clientId === client.clientId];
const expiry = Date.now() + 60_000;
const updated = await tokens.update({
  serviceId,
  tokenUpdateRequest: { accessToken, scopes: ["read", "write"], accessTokenExpiresAt: expiry },
});
said.updated = [updated.action, updated.scopes, updated.accessTokenExpiresAt - expiry];
said.notFound = (
  await tokens.update({ serviceId, tokenUpdateRequest: { accessToken: "unknown" } })
).action;
const introspect = async (token) => {
  const answer = await authlete.introspection.standardProcess({
    serviceId,
    standardIntrospectionRequest: { parameters: new URLSearchParams({ token }).toString() },
  });
  return [answer.action, JSON.parse(answer.responseContent).active];
};
said.introspected = await introspect(accessToken);
said.tokenDeleted =
  (await tokens.delete({ serviceId, accessTokenIdentifier: accessToken })) ?? null;
said.introspectedAgain = await introspect(accessToken);

await create();
const who = { serviceId, subjectPathParameter: "user/1", subjectQueryParameter: "user/1" };
const of = { ...who, clientId };
const authorized = await authlete.client.management.listAuthorizations(who);
said.authorized = [authorized.totalCount, authorized.clients[0].clientName, authorized.subject];
said.granted = (await authlete.client.management.getGrantedScopes(of)).subject;
said.scopesDeleted = (await authlete.client.management.deleteGrantedScopes(of)).resultCode;
said.authorizationDeleted = (await authlete.client.management.deleteAuthorizations(of)).resultCode;
said.unauthorized = (await authlete.client.management.listAuthorizations(who)).totalCount;

said.clientDeleted = (await authlete.client.delete({ serviceId, clientId })) ?? null;
said.clientGone = await status(() => authlete.client.get({ serviceId, clientId }));

// Where an operation is not here, the answer says so; where a path is nobody's, another one.
said.here = [];
said.elsewhere = [];
for (const path of paths()) {
  const url = base + path.replace(/\{serviceId\}/g, serviceId).replace(/\{\w+\}/g, "x");
  const response = await fetch(url, { method: "PUT" });
  const { resultCode } = await response.json();
  const list = { A001205: said.here, A001210: said.elsewhere }[resultCode];
  list.push(path.replace("/api/", "").replace("{serviceId}/", ""));
}
console.log(JSON.stringify(said));

async function status(call) {
  try {
    await call();
  } catch (error) {
    return error.statusCode;
  }
}

function paths() {
  const folder = "node_modules/@authlete/typescript-sdk/dist/esm/funcs";
  const files = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const found = files.flatMap((name) => {
    const text = readFileSync(`${folder}/${name}`, "utf-8");
    return [...text.matchAll(/pathToFunc\(\s*"([^"]+)"/g)].map((match) => match[1]);
  });
  return [...new Set(found)].sort();
}
