// oauth4webapi, unmodified, as the OAuth client at the draft's endpoint: it meets the nonce
// challenge, knows it for what it is, and succeeds when its caller asks again.
import * as oauth from "oauth4webapi";

const { url, accessToken, privateJwk, publicJwk } = JSON.parse(process.argv[2]);
const algorithm = { name: "ECDSA", namedCurve: "P-256" };
const load = (jwk, usages) => crypto.subtle.importKey("jwk", jwk, algorithm, true, usages);
const keys = {
  privateKey: await load(privateJwk, ["sign"]),
  publicKey: await load(publicJwk, ["verify"]),
};
const DPoP = oauth.DPoP({ client_id: "app-1" }, keys);
const ask = (method) =>
  oauth.protectedResourceRequest(accessToken, method, new URL(url), undefined, null, {
    DPoP,
    [oauth.allowInsecureRequests]: true,
  });
const said = {};
try {
  await ask("GET");
} catch (error) {
  said.challenged = oauth.isDPoPNonceError(error);
}
const queried = await ask("GET");
said.queried = queried.status;
said.content = await queried.json();
said.revoked = (await ask("DELETE")).status;
try {
  await ask("GET");
} catch (error) {
  said.challenges = error.cause.map(({ scheme, parameters }) => [scheme, parameters.error]);
}
console.log(JSON.stringify(said));
