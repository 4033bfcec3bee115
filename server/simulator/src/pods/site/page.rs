//! The page of a simulated lab, in Chinese and English: the language of the browser comes first.

use html_escape::encode_text;
use serde_json::Value;

use crate::value;

/// Paths to try, with what they do.
const LINKS: [(&str, &str, &str); 6] = [
    ("/echo", "返回收到的请求", "shows the request as it came"),
    ("/events", "每秒一个事件", "sends an event each second"),
    ("/download?bytes=1000000", "下载 1 MB", "downloads 1 MB"),
    ("/slow?seconds=3", "3 秒后才响应", "answers after 3 seconds"),
    ("/close", "中途断开连接", "closes the connection in the middle"),
    ("/idle", "连接一直打开，但不发送数据", "stays open and sends nothing"),
];

struct Words {
    lang: &'static str,
    title: &'static str,
    explanation: &'static str,
    labels: [&'static str; 6],
    no_cards: &'static str,
}

const CHINESE: Words = Words {
    lang: "zh-CN",
    title: "模拟实验环境",
    explanation: "本集群是模拟的，没有运行容器。在真实集群中，此处是实验环境的应用（例如 JupyterLab）。",
    labels: ["Pod", "容器与端口", "镜像", "节点", "GPU", "启动时间"],
    no_cards: "无",
};

const ENGLISH: Words = Words {
    lang: "en",
    title: "Simulated lab",
    explanation: "This cluster is simulated and runs no containers. On a real cluster, the lab's application (such as JupyterLab) would be here.",
    labels: ["Pod", "Container and port", "Image", "Node", "GPUs", "Running since"],
    no_cards: "none",
};

const STYLE: &str = "body{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color:#1f2328;background:#fff}\
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1rem}dt{color:#59636e}dd{margin:0;overflow-wrap:anywhere}\
section+section{border-top:1px solid #d1d9e0;margin-top:2rem}\
@media(prefers-color-scheme:dark){body{color:#f0f6fc;background:#0d1117}dt{color:#9198a1}a{color:#4493f8}section+section{border-color:#3d444d}}";

pub fn page(pod: &Value, container: &str, port: u16, is_chinese: bool) -> String {
    let sections = if is_chinese { [&CHINESE, &ENGLISH] } else { [&ENGLISH, &CHINESE] };
    let lang = sections[0].lang;
    let title = format!("{} · {}", sections[0].title, encode_text(value::name(pod)));
    let body: String = sections.iter().map(|words| section(words, pod, container, port)).collect();
    format!(
        "<!doctype html><html lang=\"{lang}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head><body>{body}</body></html>"
    )
}

fn section(words: &Words, pod: &Value, container: &str, port: u16) -> String {
    let is_it = |one: &&Value| value::text(one, "/name") == container;
    let spec = value::items(pod, "/spec/containers").iter().find(is_it);
    let status = value::items(pod, "/status/containerStatuses").iter().find(is_it);
    let cards = spec.map(cards).filter(|cards| !cards.is_empty()).unwrap_or_else(|| words.no_cards.to_owned());
    let facts = [
        format!("{}/{}", value::namespace(pod), value::name(pod)),
        format!("{container}:{port}"),
        spec.map_or("", |spec| value::text(spec, "/image")).to_owned(),
        value::text(pod, "/spec/nodeName").to_owned(),
        cards,
        status.map_or("", |status| value::text(status, "/state/running/startedAt")).to_owned(),
    ];
    let rows: Vec<String> = words.labels.iter().zip(&facts).map(|(label, fact)| format!("<dt>{label}</dt><dd>{}</dd>", encode_text(fact))).collect();
    let link = |(path, chinese, english): (&str, &str, &str)| {
        let what = if words.lang == "en" { english } else { chinese };
        format!("<li><a href=\"{path}\"><code>{path}</code></a> {what}</li>")
    };
    let links: Vec<String> = LINKS.into_iter().map(link).collect();
    let (rows, links) = (rows.concat(), links.concat());
    let Words { lang, title, explanation, .. } = words;
    format!("<section lang=\"{lang}\"><h1>{title}</h1><p>{explanation}</p><dl>{rows}</dl><ul>{links}</ul></section>")
}

/// `1 × nvidia.com/gpu`.
fn cards(container: &Value) -> String {
    let limits = value::entries(container, "/resources/limits").filter(|(name, _)| name.starts_with("nvidia.com/"));
    let each = limits.map(|(name, count)| format!("{} × {name}", count.as_str().map_or_else(|| count.to_string(), str::to_owned)));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::page;

    #[test]
    fn the_page_says_in_both_languages_that_it_is_a_simulation_and_shows_text_as_text() {
        let pod = json!({
            "metadata": {"name": "lab-0", "namespace": "course"},
            "spec": {"nodeName": "node-1", "containers": [{"name": "main", "image": "<b>x", "resources": {"limits": {"nvidia.com/gpu": "2"}}}]},
            "status": {"containerStatuses": [{"name": "main", "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}]},
        });
        let english = page(&pod, "main", 8888, false);
        for wanted in [
            "<html lang=\"en\">",
            "Simulated lab",
            "模拟实验环境",
            "course/lab-0",
            "node-1",
            "2 × nvidia.com/gpu",
            "&lt;b&gt;x",
            "2026-01-01T00:00:00Z",
        ] {
            assert!(english.contains(wanted), "{wanted} in {english}");
        }
        assert!(page(&pod, "main", 8888, true).starts_with("<!doctype html><html lang=\"zh-CN\">"));
    }
}
