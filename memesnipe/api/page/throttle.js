// Return a function that calls `work` at once, but not again within `ms`: later calls are answered by one at the end.
export function throttle(ms, work) {
  let last = 0;
  let waiting = null;
  const run = () => {
    waiting = null;
    last = Date.now();
    work();
  };
  return () => {
    if (waiting !== null) return;
    const left = last + ms - Date.now();
    if (left <= 0) run();
    else waiting = setTimeout(run, left);
  };
}
