// Light and dark: as the system says, or as chosen here. Charts are drawn on canvases, so they ask for resolved colours.

const KEY = "memesnipe-theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };

export const theme = () => localStorage.getItem(KEY) ?? "auto";

function apply() {
  if (theme() === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme();
}

// Make a button switch the theme, and call `changed` whenever the colours may differ.
export function themeButton(button, changed) {
  const label = () => {
    button.textContent = { auto: "Auto", light: "Light", dark: "Dark" }[theme()];
    button.setAttribute("aria-label", `Colours: ${theme()}. Change`);
  };
  button.addEventListener("click", () => {
    localStorage.setItem(KEY, NEXT[theme()]);
    apply();
    label();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
  apply();
  label();
}

// Return the present value of a colour of style.css as rgb().
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
