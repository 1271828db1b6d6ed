// Authlete's TypeScript SDK, unmodified: only its server URL is ours.
import { Authlete } from "@authlete/typescript-sdk";

const { base, apiToken, serviceId, clientId, grantId } = JSON.parse(process.argv[2]);
const authlete = new Authlete({ serverURL: base, bearer: apiToken });
const said = {};

const created = await authlete.token.management.create({
  serviceId,
  tokenCreateRequest: {
    grantType: "AUTHORIZATION_CODE",
    clientId,
    subject: "user-1",
    scopes: ["grant_management_query", "grant_management_revoke"],
    properties: [{ key: "grant_id", value: grantId }],
  },
});
said.created = created.action;
said.properties = created.properties;

const introspected = await authlete.introspection.process({
  serviceId,
  introspectionRequest: { token: created.accessToken, scopes: ["grant_management_query"] },
});
said.introspected = introspected.action;
said.grantId = introspected.grantId;
said.grant = introspected.grant;

const call = (gmAction) =>
  authlete.grantManagement.processRequest({
    serviceId,
    gMRequest: { gmAction, grantId, accessToken: created.accessToken },
  });
const queried = await call("QUERY");
said.queried = queried.action;
said.content = queried.responseContent;
said.revoked = (await call("REVOKE")).action;
said.again = (await call("QUERY")).action;

const removed = await authlete.token.management.revoke({
  serviceId,
  tokenRevokeRequest: { accessTokenIdentifier: created.accessToken },
});
said.count = removed.count;
try {
  await authlete.token.management.revoke({ serviceId, tokenRevokeRequest: {} });
} catch (error) {
  said.error = error.statusCode;
}
console.log(JSON.stringify(said));
