// The list of the routes of openapi.json. FastAPI's page would load its scripts from the internet.

function make(tag, text, kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  element.className = kind;
  return element;
}

function limits({ minimum, maximum, default: initial }) {
  const range = minimum !== undefined && maximum !== undefined ? `${minimum} to ${maximum}` : "";
  return [range, initial !== undefined ? `default ${initial}` : ""].filter(Boolean).join(", ");
}

function route(path, method, operation) {
  const name = make("dt", "");
  name.append(make("span", method.toUpperCase(), "badge"), " ");
  const link = make(method === "get" && !path.includes("{") ? "a" : "span", path, "path");
  if (link.tagName === "A") link.href = `.${path}`;
  name.append(link);
  const about = make("dd", operation.description ?? operation.summary ?? "");
  for (const parameter of operation.parameters ?? []) {
    const text = [parameter.description, limits(parameter.schema)].filter(Boolean).join(" ");
    about.append(make("p", `${parameter.name}: ${text}`, "muted"));
  }
  return [name, about];
}

try {
  const answer = await fetch("openapi.json");
  const { info, paths } = await answer.json();
  document.getElementById("about").textContent = `${info.version}. ${info.description}`;
  for (const [path, methods] of Object.entries(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      document.getElementById("routes").append(...route(path, method, operation));
    }
  }
} catch (error) {
  const notice = document.getElementById("notice");
  notice.textContent = `openapi.json cannot be read: ${error.message}`;
  notice.hidden = false;
}
