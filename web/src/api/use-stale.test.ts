import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, it } from "vitest";
import { ApiError } from "./problem";
import { staleReason } from "./use-stale";

it("says why shown data is old, until it is refreshed or left", async () => {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  const cache = client.getQueryCache();
  let answer: () => string = () => "content";
  const observer = new QueryObserver(client, { queryKey: ["page"], queryFn: () => answer() });
  const leave = observer.subscribe(() => undefined);
  await observer.refetch();
  expect(staleReason(cache)).toBeNull();
  const refuse = async (status: number) => {
    answer = () => {
      throw new ApiError(status, { detail: `status ${status}` });
    };
    await observer.refetch();
    return staleReason(cache);
  };
  expect(await refuse(503)).toBe("status 503");
  // The page itself says that something was deleted or is forbidden.
  expect(await refuse(404)).toBeNull();
  expect(await refuse(500)).toBe("status 500");
  leave();
  expect(staleReason(cache)).toBeNull();
  const again = observer.subscribe(() => undefined);
  answer = () => "content";
  await observer.refetch();
  expect(staleReason(cache)).toBeNull();
  again();
});
