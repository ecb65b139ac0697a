/** The faults of a request, and their replies: `{ "detail": … }`. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

/** One thing that is wrong with a request: where, and a sentence. */
export interface Problem {
  readonly loc: readonly (string | number)[];
  readonly msg: string;
}

/** An answer other than 200. `detail` is a sentence, for 422 a list of problems. */
export class ApiError extends Error {
  override name = 'ApiError';

  constructor(
    readonly statusCode: number,
    readonly detail: string | readonly Problem[],
  ) {
    super(typeof detail === 'string' ? detail : detail.map(({ msg }) => msg).join('; '));
  }
}

/** 422 for one field of a body. */
export function unprocessable(msg: string, ...loc: (string | number)[]): ApiError {
  return new ApiError(422, [{ loc: ['body', ...loc], msg }]);
}

/**
 * A refusal of the library as 422. Its sentences begin with the field (`action.kv_budget is 7: …`),
 * which becomes the location; anything that is not a refusal is returned as it is.
 */
export function refusal(error: unknown, root?: string): unknown {
  if (!isRefusal(error)) return error;
  const path = /^([A-Za-z_]\w*(?:\.\w+|\[\d+\])*)(?= (?:is|are|has|have)\b)/.exec(error.message);
  const parts = path === null ? [] : path[1].split(/[.[\]]+/).filter((part) => part !== '');
  const loc = parts.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const isPlaced = root === undefined || loc[0] === root;
  return new ApiError(422, [
    { loc: ['body', ...(isPlaced ? loc : [root, ...loc])], msg: error.message },
  ]);
}

/** Runs what may refuse its input; a refusal is thrown as 422. */
export function refusing<T>(root: string | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw refusal(error, root);
  }
}

/** The library refuses bad input by RangeError and bad files by DataError. */
function isRefusal(error: unknown): error is Error {
  return error instanceof RangeError || (error instanceof Error && error.name === 'DataError');
}

const CONTEXTS: Record<string, string> = { querystring: 'query', params: 'path' };

/** The problems that a schema's validation found. */
function problemsOf(error: FastifyError): Problem[] {
  const context = error.validationContext ?? 'body';
  return (error.validation ?? []).map(({ instancePath, message, params }) => {
    const path = instancePath.split('/').filter((part) => part !== '');
    const missing = (params as { missingProperty?: string }).missingProperty;
    const loc = path.map((part) => (/^\d+$/.test(part) ? Number(part) : part));
    const place = missing === undefined ? loc : [...loc, missing];
    const name = place.length > 0 ? place.join('.') : context;
    return {
      loc: [CONTEXTS[context] ?? context, ...place],
      msg: missing === undefined ? `${name} ${message}` : `${name} is missing`,
    };
  });
}

type ErrorHandler = (
  error: FastifyError | ApiError | Error,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply;

/** The one place where errors become replies; what is not the client's doing is logged and 500. */
export function replyWithError(log: Logger): ErrorHandler {
  return (error, { id }, reply) => {
    if (error instanceof ApiError) {
      return reply.code(error.statusCode).send({ detail: error.detail });
    }
    const fastifyError = error as FastifyError;
    if (fastifyError.validation !== undefined) {
      return reply.code(422).send({ detail: problemsOf(fastifyError) });
    }
    const status = fastifyError.statusCode ?? 500;
    if (status >= 400 && status < 500) return reply.code(status).send({ detail: error.message });
    log.error({ id, err: error }, 'request failed');
    return reply.code(500).send({ detail: 'internal error' });
  };
}
