// The stream of the state: one event with all of it, then events with the parts that have changed.
import { authorization, Problem } from "./api.js";

const RETRY_MS = 1500;

export class Live {
  // `handlers` are {state, trouble, lost, refused}.
  constructor(handlers) {
    this.handlers = handlers;
    this.state = null;
    this.stop = null;
    // A hidden page closes its connection: a browser allows only six per server.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open()));
  }

  open() {
    if (this.stop || document.hidden) return;
    this.stop = new AbortController();
    this.follow(this.stop.signal);
  }

  close() {
    this.stop?.abort();
    this.stop = null;
  }

  reopen() {
    this.close();
    this.open();
  }

  async follow(signal) {
    while (!signal.aborted) {
      try {
        await this.read(signal);
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status === 401) return this.handlers.refused(error.message);
        this.handlers.lost(error);
      }
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }

  async read(signal) {
    const answer = await fetch("api/events", { headers: authorization(), signal, cache: "no-store" });
    if (!answer.ok) throw new Problem(answer.status, (await answer.json().catch(() => ({}))).detail ?? "");
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const events = (text + part.value).split("\n\n");
      text = events.pop();
      events.forEach((event) => this.take(event));
    }
  }

  take(event) {
    const lines = event.split("\n");
    const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
    if (!name) return;
    const content = JSON.parse(lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6)).join("\n"));
    if (name === "trouble") return this.handlers.trouble(content);
    const before = this.state;
    this.state = name === "state" ? content : { ...this.state, ...content };
    this.handlers.state(this.state, before);
  }
}
