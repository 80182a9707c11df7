//! Pagination.

use crate::support::get;

#[tokio::test]
async fn pages_cover_a_list_without_gaps() {
    let mut seen = Vec::new();
    let mut path = "/numbers?limit=20".to_owned();
    let mut sizes = Vec::new();
    loop {
        let page = get(&path).await.json();
        let items: Vec<u64> = page["items"].as_array().unwrap().iter().map(|item| item.as_u64().unwrap()).collect();
        sizes.push(items.len());
        seen.extend(items);
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/numbers?limit=20&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(sizes, [20, 20, 5]);
    assert_eq!(seen, (0..45).rev().collect::<Vec<u64>>());
}

#[tokio::test]
async fn a_full_last_page_has_no_next_cursor() {
    let page = get("/numbers?limit=45").await.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 45);
    assert!(page["next_cursor"].is_null());
}

#[tokio::test]
async fn limits_and_cursors_are_checked() {
    assert_eq!(get("/numbers").await.json()["items"].as_array().unwrap().len(), 20);
    for limit in ["0", "101", "-1", "ten", "1.5", "", "99999999999999999999"] {
        let refused = get(&format!("/numbers?limit={limit}")).await.refused();
        assert_eq!(refused, ["limit: must be a whole number from 1 to 100"], "{limit}");
    }
    // Invalid base64, an invalid key, and a key of another list.
    for cursor in ["!!!", "AAAA", "ImFiYyI"] {
        let refused = get(&format!("/numbers?cursor={cursor}")).await.refused();
        assert_eq!(refused, ["cursor: must be a next_cursor of this list"], "{cursor}");
    }
    assert_eq!(get("/numbers?page=2").await.refused(), ["page: is not a known parameter; known are limit, cursor"]);
}

#[tokio::test]
async fn filters_and_pages_combine() {
    let found = get("/search?kind=small&limit=7").await.json();
    assert_eq!((&found["filter"]["kind"], &found["limit"]), (&"small".into(), &7.into()));
    assert_eq!(
        get("/search?limit=7&size=3").await.refused(),
        ["size: is not a known parameter; known are kind, wait_s"]
    );
    assert_eq!(get("/search?limit=700").await.refused(), ["limit: must be a whole number from 1 to 100"]);
    let both = get("/search?size=3&limit=700&kind=huge").await.refused();
    assert!(both[0].starts_with("limit:") && both[1].starts_with("size:") && both[2].starts_with("kind:"), "{both:?}");
}

#[tokio::test]
async fn large_items_make_shorter_pages_without_gaps() {
    let (mut path, mut seen, mut pages) = ("/documents?limit=10".to_owned(), Vec::new(), 0);
    loop {
        let page = get(&path).await;
        assert!(page.text.len() < 5 << 20, "{}", page.text.len());
        let page = page.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["id"].as_u64().unwrap()));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/documents?limit=10&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..10).rev().collect::<Vec<u64>>());
    assert!(pages > 3, "{pages}");
}
