// Says who is reading. The page needs none of this to be protected: nginx has asked Stave before it handed the page out.
const who = document.getElementById("who");
const answer = await fetch("/.stave/me");
const { name, groups, logout_url: out } = await answer.json();
const signOut = Object.assign(document.createElement("a"), { href: out, textContent: "Sign out" });
const roles = groups?.length ? `, with the role ${groups.join(", ")}` : ", without a role";
who.append(`You are ${name}${roles}. `, signOut);
