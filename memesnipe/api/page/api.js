// Requests to the API. The token is kept for the session of this tab alone, and sent with every request where it is known.

const TOKEN = "memesnipe-token";

export const token = () => sessionStorage.getItem(TOKEN) ?? "";
export const keepToken = (value) => (value ? sessionStorage.setItem(TOKEN, value) : sessionStorage.removeItem(TOKEN));
export const authorization = () => (token() ? { Authorization: `Bearer ${token()}` } : {});

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

async function checked(answer) {
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  throw new Problem(answer.status, problem.detail ?? `the server answered ${answer.status}`);
}

// Return the path with those parameters that have a value.
export function url(path, parameters = {}) {
  const known = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  const query = new URLSearchParams(known).toString();
  return `api/${path}${query ? `?${query}` : ""}`;
}

export async function get(path, parameters) {
  return (await checked(await fetch(url(path, parameters), { headers: authorization() }))).json();
}

// Return a page of a list, and the number of all rows.
export async function list(path, parameters) {
  const answer = await checked(await fetch(url(path, parameters), { headers: authorization() }));
  return { rows: await answer.json(), total: Number(answer.headers.get("X-Total-Count")) };
}

export async function post(path, reason) {
  return (await checked(await fetch(url(path, { reason }), { method: "POST", headers: authorization() }))).json();
}

// Save a file; a plain link would not send the token.
export async function save(path, parameters, name) {
  const answer = await checked(await fetch(url(path, parameters), { headers: authorization() }));
  const address = URL.createObjectURL(await answer.blob());
  Object.assign(document.createElement("a"), { href: address, download: name }).click();
  URL.revokeObjectURL(address);
}
