/** One typed door to the JSON API: same origin, cookies, one error shape. */

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | null;

  constructor(status: number, code: string, message: string, hint: string | null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.hint = hint;
  }
}

type Listener = () => void;
const expiryListeners = new Set<Listener>();

/** Called whenever the server says the session is gone (401). Returns an unsubscribe function. */
export function onSessionExpired(listener: Listener): () => void {
  expiryListeners.add(listener);
  return () => expiryListeners.delete(listener);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Turns any failed response into an ApiError, whatever its body is. */
export async function errorFrom(response: Response): Promise<ApiError> {
  let code = `http_${response.status}`;
  let message = `The server answered ${response.status}.`;
  let hint: string | null = null;
  try {
    const body: unknown = await response.json();
    const error = isRecord(body) ? body["error"] : null;
    if (isRecord(error)) {
      code = typeof error["code"] === "string" ? error["code"] : code;
      message = typeof error["message"] === "string" ? error["message"] : message;
      hint = typeof error["hint"] === "string" ? error["hint"] : null;
    } else if (isRecord(body) && typeof body["detail"] === "string") {
      message = body["detail"];
    }
  } catch {
    // The body is not JSON (a proxy's page, or empty): the status alone has to do.
  }
  return new ApiError(response.status, code, message, hint);
}

export interface RequestOptions { method?: string; body?: unknown; signal?: AbortSignal; expiry?: boolean }

/** Sends a request and returns the raw response; throws ApiError on any failure. */
export async function send(path: string, options: RequestOptions = {}): Promise<Response> {
  const { method = "GET", body, signal, expiry = true } = options;
  const init: RequestInit = { method, credentials: "same-origin", headers: { Accept: "application/json" } };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.headers = { ...init.headers, "Content-Type": "application/json" };
    init.body = JSON.stringify(body);
  }
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "offline", "The server cannot be reached.", "Check that Smart Reach is running.");
  }
  if (response.ok) return response;
  if (response.status === 401 && expiry) expiryListeners.forEach((listener) => listener());
  throw await errorFrom(response);
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const response = await send(path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

/** Builds a query string without the empty parameters. */
export function query(params: Record<string, string | number | null | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") search.set(key, String(value));
  }
  const text = search.toString();
  return text ? `?${text}` : "";
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "Something went wrong.";
}
