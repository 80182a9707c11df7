/** The theme of this browser: light, dark, or as the system has it. */
export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "trainyard.theme";

/** The chosen theme; undefined for that of the system. */
export function chosenTheme(): Theme | undefined {
  return THEMES.find((theme) => theme === localStorage.getItem(KEY));
}

/** Shows the pages in a theme, also after a reload. */
export function chooseTheme(theme: Theme | undefined): void {
  if (theme) localStorage.setItem(KEY, theme);
  else localStorage.removeItem(KEY);
  applyTheme();
}

/** The style sheet reads the theme from the root element. */
export function applyTheme(): void {
  const theme = chosenTheme();
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}
