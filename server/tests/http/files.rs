//! The built files.

use services::testing::TestWorld;

use crate::support::Portal;

async fn with_site() -> (Portal, tempfile::TempDir) {
    let site = tempfile::tempdir().unwrap();
    std::fs::create_dir(site.path().join("pkg")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(site.path().join(name), text).unwrap();
    write("pkg/lectern.abc.css", "body{}");
    write("pkg/lectern.abc.css.br", "not really brotli");
    write("favicon.svg", "<svg/>");
    write("secret.txt", "not below pkg");
    let root = site.path().to_owned();
    let portal = Portal::configured(TestWorld::college().await, |config| config.server.site_root = Some(root)).await;
    (portal, site)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_sent_compressed_and_kept_for_good() {
    let (portal, _site) = with_site().await;
    let client = portal.browser().client;
    let plain = client.get(portal.url("/pkg/lectern.abc.css")).send().await.unwrap();
    assert_eq!(plain.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(plain.headers()["content-type"], "text/css");
    assert_eq!(plain.text().await.unwrap(), "body{}");
    let packed = client.get(portal.url("/pkg/lectern.abc.css")).header("accept-encoding", "br").send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "br");
    assert_eq!(packed.text().await.unwrap(), "not really brotli");
    assert_eq!(client.get(portal.url("/favicon.svg")).send().await.unwrap().headers()["cache-control"], "public, max-age=3600");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_else_of_the_disk_is_sent() {
    let (portal, _site) = with_site().await;
    let client = portal.browser().client;
    for path in ["/pkg/missing.js", "/pkg/", "/pkg/..%2fsecret.txt", "/pkg/%2e%2e/secret.txt", "/secret.txt"] {
        let answer = client.get(portal.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
        assert!(!answer.headers()["cache-control"].to_str().unwrap().contains("immutable"), "{path}");
        assert!(!answer.text().await.unwrap().contains("not below pkg"), "{path}");
    }
}
