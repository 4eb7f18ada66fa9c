import { useEffect, useState } from 'preact/hooks';
import { parseRoute, type Route, writeRoute } from './route.ts';

/** The route in the page's address, and a way to another. */
export function useRoute(): readonly [Route, (route: Route) => void] {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const update = (): void => setRoute(readRoute());
    window.addEventListener('hashchange', update);
    return () => window.removeEventListener('hashchange', update);
  }, []);
  return [route, go];
}

function readRoute(): Route {
  return parseRoute(location.hash, location.search);
}

function go(route: Route): void {
  location.hash = writeRoute(route, location.search);
}
