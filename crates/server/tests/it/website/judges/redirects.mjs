// Reads addresses as browsers do, with Node's own URL. Each line has pairs of what was asked for and where the answer leads; each
// answer names the pairs that lead away from the site.
import { createInterface } from "node:readline";

const { site } = JSON.parse(process.argv[1]);

function staysAtHome(address) {
    // Whoever completes it, as a browser would that is at another site.
    for (const base of [undefined, "https://elsewhere.example/deep/page", `${site}/`]) {
        if (!URL.canParse(address, base)) return false;
        const url = new URL(address, base);
        if (url.origin !== site || url.username || url.password) return false;
    }
    // What headers may hold.
    return /^[\x21-\x7e]+$/.test(address);
}

for await (const line of createInterface({ input: process.stdin })) {
    const pairs = JSON.parse(line);
    const elsewhere = pairs.filter(([, address]) => !staysAtHome(address));
    console.log(JSON.stringify({ judged: pairs.length, elsewhere }));
}
