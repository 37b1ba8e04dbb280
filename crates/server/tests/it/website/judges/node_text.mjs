// Stands below the text that the owner of a website copies for Node.js, and calls what it defines.
import { createInterface } from "node:readline";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

// The test plays the visitor at the browser: where is it then?
async function ask(question) {
    console.log(JSON.stringify(question));
    return JSON.parse((await lines.next()).value).url;
}

const { url, ...kept } = await logIn();
const { visitor, idToken } = await comeBack(await ask({ sign_in: url.href }), kept);
const goodbye = await ask({ visit: logOut(idToken).href });
console.log(JSON.stringify({ verdict: { visitor, goodbye } }));
process.exit(0);
