// The grant's whole life from outside Python: Authlete's TypeScript SDK, unmodified, where it has
// the operation, and plain HTTP for the routes that are this project's own.
import { Authlete } from "@authlete/typescript-sdk";

const { base, apiToken, serviceId } = JSON.parse(process.argv[2]);
const authlete = new Authlete({ serverURL: base, bearer: apiToken });
const said = {};

async function store(path, members = {}) {
  const response = await fetch(`${base}/api/${serviceId}/${path}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${apiToken}`, "Content-Type": "application/json" },
    body: JSON.stringify(members),
  });
  return { status: response.status, ...(await response.json()) };
}

const { clientId } = await store("clients", { clientIdentifier: "app-2", name: "From Node" });
const { grantId, status } = await store("grants", {
  clientId,
  subject: "user-1",
  scopes: [{ scope: "openid" }],
});
said.pending = status;

const create = () =>
  authlete.token.management.create({
    serviceId,
    tokenCreateRequest: {
      grantType: "AUTHORIZATION_CODE",
      clientId,
      subject: "user-1",
      scopes: ["grant_management_query", "grant_management_revoke"],
      properties: [{ key: "grant_id", value: grantId }],
    },
  });
const created = await create();
said.created = created.action;
said.ofGrant = created.properties[0].value === grantId;

const introspected = await authlete.introspection.process({
  serviceId,
  introspectionRequest: { token: created.accessToken, scopes: ["grant_management_query"] },
});
said.introspected = introspected.action;
said.sameGrant = introspected.grantId === grantId;
said.grant = introspected.grant;

const call = (gmAction, accessToken) =>
  authlete.grantManagement.processRequest({
    serviceId,
    gMRequest: { gmAction, grantId, accessToken },
  });
said.queried = (await call("QUERY", created.accessToken)).action;

await store(`grants/${grantId}/merge`, { scopes: [{ scope: "read" }] });
said.merged = (await call("QUERY", created.accessToken)).responseContent;
const refresh = (refreshToken) => store("tokens/refresh", { clientId, refreshToken });
said.refreshAfterMerge = (await refresh(created.refreshToken)).resultCode;

const second = await create();
await store(`grants/${grantId}/replace`, { scopes: [{ scope: "write" }] });
said.afterReplace = (await call("QUERY", second.accessToken)).action;

const third = await create();
const fourth = await refresh(third.refreshToken);
said.refreshed = fourth.action;
said.reused = (await refresh(third.refreshToken)).resultCode;
said.family = (await refresh(fourth.refreshToken)).resultCode;

const fifth = await create();
said.revoked = (await call("REVOKE", fifth.accessToken)).action;
said.again = (await call("QUERY", fifth.accessToken)).action;
said.refusedToken = (await create()).action;

const removed = await authlete.token.management.revoke({
  serviceId,
  tokenRevokeRequest: { accessTokenIdentifier: fifth.accessToken },
});
said.count = removed.count;
try {
  await authlete.token.management.revoke({ serviceId, tokenRevokeRequest: {} });
} catch (error) {
  said.error = error.statusCode;
}
console.log(JSON.stringify(said));
