/** A mount's OpenAPI document: paths without the prefix, which goes into `servers`. */
import type { App } from '../sessions/routes.js';

const PREFIX = '/openenv/{family}/{task}';
const PREFIX_PARAMETERS = ['family', 'task'];

type Operation = { parameters?: { name: string }[] };
type Path = Record<string, Operation>;

/** The document of the mount at `prefix`, made of the server's own. */
export function mountDocument(app: App, prefix: string, title: string): object {
  const document = app.swagger() as { paths?: Record<string, Path>; info: object };
  const paths = Object.entries(document.paths ?? {}).flatMap(([path, operations]) => {
    if (!path.startsWith(`${PREFIX}/`)) return [];
    return [[path.slice(PREFIX.length), withoutPrefixParameters(operations)]];
  });
  return {
    ...document,
    info: { ...document.info, title },
    servers: [{ url: prefix }],
    paths: Object.fromEntries(paths),
  };
}

function withoutPrefixParameters(operations: Path): Path {
  const cleaned = Object.entries(operations).map(([method, { parameters, ...operation }]) => {
    const others = parameters?.filter(({ name }) => !PREFIX_PARAMETERS.includes(name)) ?? [];
    return [method, others.length > 0 ? { ...operation, parameters: others } : operation];
  });
  return Object.fromEntries(cleaned);
}
