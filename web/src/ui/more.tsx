import { Button } from "./button";

interface Props {
  /** A list that is read page by page. */
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
  label?: string;
}

/** Reads the next page of a list; nothing on the last page. */
export function MoreButton({ list, label = "Show more" }: Props) {
  if (!list.hasNextPage) return null;
  return (
    <Button className="mt-3" busy={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
      {label}
    </Button>
  );
}
