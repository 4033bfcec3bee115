//! Every text of the door's own pages, in both languages. The pages are served where the portal's own files are not, so their texts are
//! here. To add a matter: a variant of [`Matter`] and a line in each table.

use domain::labs::LabState;
use http::{HeaderMap, StatusCode, header};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

impl Language {
    /// The reader's choice; Chinese where they name none of ours, as in the portal.
    pub fn of(headers: &HeaderMap) -> Self {
        let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let mut best = (Self::Chinese, 0.0);
        for range in accepted.split(',') {
            let mut parts = range.split(';');
            let name = parts.next().unwrap_or_default().trim().split('-').next().unwrap_or_default();
            let quality = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0));
            let known = [("zh", Self::Chinese), ("en", Self::English)].into_iter().find(|(tag, _)| name.eq_ignore_ascii_case(tag));
            if let Some((_, language)) = known.filter(|_| quality > best.1) {
                best = (language, quality);
            }
        }
        best.0
    }

    pub const fn tag(self) -> &'static str {
        self.pick("zh-CN", "en")
    }

    pub const fn pick(self, chinese: &'static str, english: &'static str) -> &'static str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// The subject of a page or of another answer of the door.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matter {
    /// The host is no lab's.
    WrongHost,
    /// The request cannot be understood.
    Malformed,
    /// A method that the door does not take here.
    Method,
    /// No lab has this host, or the door has no such page.
    NotFound,
    /// The browser has no pass for this lab.
    NoPass,
    /// The ticket was used before, is too old, or was never one.
    NoTicket,
    /// The ticket came from another site than the portal.
    WrongOrigin,
    /// Another site asked in the person's name.
    CrossSite,
    /// The person came by a link that allows looking only.
    ViewOnly,
    /// The lab's page wants a service worker for the whole site.
    Worker,
    TooMany,
    NotReady,
    /// The lab is down until somebody starts it.
    Stopped,
    /// Its ordered time is over, and it is down.
    TimeOver,
    /// The lab did not start, or broke.
    Failed,
    /// The person came by a link, which has ended.
    LinkEnded,
    /// The application in the lab cannot be reached: nothing was sent.
    NoConnection,
    /// The application in the lab does not answer, or not as it should.
    NoAnswer,
    /// The lab is used by a terminal or runs by itself.
    NoPage,
    /// Neither the cluster nor the lab's node leads to the lab at the moment.
    Unreachable,
    /// A program came without an access token, or with one that is not good.
    NoToken,
    /// The token's scopes do not suffice.
    NoScope,
    /// The owner of the token may not enter the lab.
    NotAllowed,
    /// A port of the lab that programs may not reach.
    WrongPort,
    /// The portal cannot check passes at the moment.
    Unavailable,
}

impl Matter {
    #[cfg(test)]
    pub const ALL: [Self; 25] = [
        Self::WrongHost,
        Self::Malformed,
        Self::Method,
        Self::NotFound,
        Self::NoPass,
        Self::NoTicket,
        Self::WrongOrigin,
        Self::CrossSite,
        Self::ViewOnly,
        Self::Worker,
        Self::TooMany,
        Self::NotReady,
        Self::Stopped,
        Self::TimeOver,
        Self::Failed,
        Self::LinkEnded,
        Self::NoConnection,
        Self::NoAnswer,
        Self::NoPage,
        Self::Unreachable,
        Self::NoToken,
        Self::NoScope,
        Self::NotAllowed,
        Self::WrongPort,
        Self::Unavailable,
    ];

    pub const fn status(self) -> StatusCode {
        match self {
            Self::WrongHost => StatusCode::MISDIRECTED_REQUEST,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotFound | Self::NoPage => StatusCode::NOT_FOUND,
            Self::LinkEnded => StatusCode::GONE,
            Self::NoPass | Self::NoToken => StatusCode::UNAUTHORIZED,
            Self::NoTicket
            | Self::WrongOrigin
            | Self::CrossSite
            | Self::ViewOnly
            | Self::Worker
            | Self::NoScope
            | Self::NotAllowed
            | Self::WrongPort => StatusCode::FORBIDDEN,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
            Self::NotReady | Self::Stopped | Self::TimeOver | Self::Failed | Self::NoConnection | Self::Unreachable | Self::Unavailable => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::NoAnswer => StatusCode::BAD_GATEWAY,
        }
    }

    /// For programs; it never changes.
    pub const fn code(self) -> &'static str {
        match self {
            Self::WrongHost => "wrong_host",
            Self::Malformed => "malformed",
            Self::Method => "method_not_allowed",
            Self::NotFound => "not_found",
            Self::NoPass => "no_pass",
            Self::NoTicket => "no_ticket",
            Self::WrongOrigin => "wrong_origin",
            Self::CrossSite => "cross_site",
            Self::ViewOnly => "view_only",
            Self::Worker => "worker_of_site",
            Self::TooMany => "too_many_connections",
            Self::NotReady | Self::Stopped | Self::TimeOver | Self::Failed => "lab_not_ready",
            Self::LinkEnded => "link_ended",
            Self::NoConnection | Self::NoAnswer => "no_answer",
            Self::NoPage => "no_page",
            Self::Unreachable => "cluster_unreachable",
            Self::NoToken => "no_token",
            Self::NoScope | Self::NotAllowed => "not_allowed",
            Self::WrongPort => "wrong_port",
            Self::Unavailable => "unavailable",
        }
    }

    /// Seconds after which it is worth trying again.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::TooMany
            | Self::NotReady
            | Self::Stopped
            | Self::TimeOver
            | Self::Failed
            | Self::NoConnection
            | Self::NoAnswer
            | Self::Unreachable
            | Self::Unavailable => Some(5),
            _ => None,
        }
    }

    pub const fn title(self, language: Language) -> &'static str {
        match self {
            Self::WrongHost => language.pick("这个网址不是任何环境的", "This address belongs to no lab"),
            Self::Malformed => language.pick("请求无法识别", "The request cannot be read"),
            Self::Method => language.pick("这里不接受这种请求", "This kind of request is not accepted here"),
            Self::NotFound => language.pick("没有这个环境或页面", "There is no such lab or page"),
            Self::NoPass | Self::NoTicket => language.pick("请从 Lectern 打开这个环境", "Open this lab from Lectern"),
            Self::WrongOrigin => language.pick("这次打开不是从 Lectern 发起的", "This was not opened from Lectern"),
            Self::CrossSite => language.pick("已拒绝来自其他网站的请求", "A request from another site was refused"),
            Self::ViewOnly => language.pick("你的链接只能查看", "Your link is for looking only"),
            Self::Worker => language.pick("不能注册覆盖整个网站的 Service Worker", "A service worker may not stand before the whole site"),
            Self::TooMany => language.pick("打开的连接太多", "Too many connections are open"),
            Self::NotReady => language.pick("环境正在准备", "The lab is getting ready"),
            Self::Stopped => language.pick("环境已停止", "The lab is stopped"),
            Self::TimeOver => language.pick("环境的时间已用完", "The time of the lab is over"),
            Self::Failed => language.pick("环境出了故障", "The lab failed"),
            Self::LinkEnded => language.pick("这个链接已失效", "This link has ended"),
            Self::NoConnection | Self::NoAnswer => language.pick("环境里的程序没有响应", "The application in the lab does not answer"),
            Self::NoPage => language.pick("这个环境没有网页", "This lab has no page"),
            Self::NoToken => language.pick("需要有效的访问令牌", "A good access token is needed"),
            Self::Unreachable => language.pick("集群暂时连不上", "The cluster does not answer"),
            Self::NoScope => {
                language.pick("这个令牌不能进入这个环境，需要 labs:write", "This token may not enter the lab. It needs the scope labs:write")
            }
            Self::NotAllowed => {
                language.pick("令牌的主人不能进入这个环境", "The owner of this token may not enter the lab. Another scope does not help")
            }
            Self::WrongPort => language.pick("只能连接环境自己的端口和 22、2222", "Only the lab's own port and ports 22 and 2222 can be reached"),
            Self::Unavailable => language.pick("暂时无法打开", "Not available at the moment"),
        }
    }

    pub const fn text(self, language: Language) -> &'static str {
        match self {
            Self::WrongHost => {
                language.pick("请检查网址，或在 Lectern 的环境页面点“打开”。", "Check the address, or press Open on the page of the lab in Lectern.")
            }
            Self::Malformed => language.pick("没有做任何改动。请重新打开页面。", "Nothing was changed. Open the page again."),
            Self::Method => language.pick("没有做任何改动。", "Nothing was changed."),
            Self::NotFound => language.pick(
                "它可能已被销毁，或者网址有误。你的环境都列在 Lectern 里。",
                "It may have been destroyed, or the address is wrong. Lectern lists all labs that you may open.",
            ),
            Self::NoPass => language.pick(
                "这个浏览器还没有进入权，或者进入权已经结束。请在 Lectern 的环境页面点“打开”。",
                "This browser has no access to the lab, or its access has ended. Press Open on the page of the lab in Lectern.",
            ),
            Self::NoTicket => language.pick(
                "打开链接只能用一次，30 秒内有效。请再点一次“打开”。如果又回到这里，请允许这个网站使用 Cookie。",
                "Each opening works once and for 30 seconds. Press Open again. If you come back here, allow cookies for this site.",
            ),
            Self::WrongOrigin => {
                language.pick("没有进入环境。请在 Lectern 的环境页面点“打开”。", "You were not let in. Press Open on the page of the lab in Lectern.")
            }
            Self::CrossSite => {
                language.pick("只有环境自己的页面可以这样做。没有做任何改动。", "Only pages of the lab itself may do this. Nothing was changed.")
            }
            Self::ViewOnly => language.pick(
                "没有做任何改动。如需操作，请向环境的归属人要一个可以操作的链接。",
                "Nothing was changed. To do more, ask the owner of the lab for a link that allows it.",
            ),
            Self::Worker => language
                .pick("请把脚本放进子目录，它只对该目录下的路径生效。", "Put its script into a folder: it may serve the paths below that folder."),
            Self::TooMany => language.pick("请关闭不用的标签页，几秒后再试。", "Close tabs that you do not use and try again in a few seconds."),
            Self::NotReady => language.pick("就绪后此页会自动打开它。", "This page opens it as soon as it is ready."),
            Self::Stopped => language.pick(
                "文件都保留着。在 Lectern 里启动后，此页会自动打开它。",
                "Its files are kept. Start it in Lectern, and this page opens it as soon as it is ready.",
            ),
            Self::TimeOver => language.pick(
                "文件都保留着。在 Lectern 里延长并启动后，此页会自动打开它。",
                "Its files are kept. Extend and start it in Lectern, and this page opens it as soon as it is ready.",
            ),
            Self::LinkEnded => language.pick(
                "链接已到期、已撤销，或者环境已销毁。请向发送链接的人要一个新的。",
                "It was withdrawn, its time is over, or its lab is gone. Ask the person who sent it for a new one.",
            ),
            Self::Failed => language.pick(
                "文件都保留着。原因和重试都在它的页面上；恢复后此页会自动打开它。",
                "Its files are kept. Its page has the reason and a way to try again; this page opens it when it works.",
            ),
            Self::NoConnection | Self::NoAnswer => language.pick(
                "程序可能正在启动或已经退出。文件不受影响。几秒后重试，或在 Lectern 查看日志。",
                "It may be starting, or it has ended. Files are not affected. Try again in a few seconds, or read its log in Lectern.",
            ),
            Self::NoPage => language.pick(
                "请在 Lectern 的环境页面用它的终端、SSH 或日志。",
                "Use its terminal, SSH or its log instead: all three are on its page in Lectern.",
            ),
            Self::NoToken => language.pick(
                "在 Lectern 的账户设置里新建令牌，再运行 lectern login。",
                "Make a token on your account page in Lectern and run lectern login.",
            ),
            Self::Unreachable => language.pick(
                "集群或环境所在的节点暂时没有响应。文件不受影响。几秒后重试。",
                "The cluster, or the node that the lab is on, does not answer. Files are not affected. Try again in a few seconds.",
            ),
            Self::NoScope => language.pick("请新建带有 labs:write 的令牌。", "Scopes cannot be added to a token. Make another one with labs:write."),
            Self::NotAllowed => language.pick(
                "归属人、本课教师和管理者可以用令牌进入。",
                "The owner of the lab, the teachers of its course and managers may enter it by a token.",
            ),
            Self::WrongPort => language.pick("没有建立连接。", "No connection was made."),
            Self::Unavailable => language.pick(
                "Lectern 正在恢复，环境照常运行。请几秒后再试。",
                "Lectern is recovering; the lab goes on running. Try again in a few seconds.",
            ),
        }
    }
}

pub const fn state(state: LabState, language: Language) -> &'static str {
    match state {
        LabState::Pending => language.pick("等待开通", "Pending"),
        LabState::Starting => language.pick("正在启动", "Starting"),
        // Its pod is about to be ready, or is being replaced.
        LabState::Running => language.pick("正在连接", "Connecting"),
        LabState::Stopping => language.pick("正在停止", "Stopping"),
        LabState::Stopped => language.pick("已停止", "Stopped"),
        LabState::Failed => language.pick("启动失败", "Failed"),
        LabState::Destroying => language.pick("正在销毁", "Being destroyed"),
        LabState::Destroyed => language.pick("已销毁", "Destroyed"),
    }
}

pub const fn lab_term(language: Language) -> &'static str {
    language.pick("环境", "Lab")
}

pub const fn state_term(language: Language) -> &'static str {
    language.pick("状态", "State")
}

pub const fn since_term(language: Language) -> &'static str {
    language.pick("始于", "Since")
}

pub const fn open(language: Language) -> &'static str {
    language.pick("打开", "Open")
}

/// The page of the lab, by what one does there.
pub const fn start(language: Language) -> &'static str {
    language.pick("去启动", "Start it")
}

pub const fn extend(language: Language) -> &'static str {
    language.pick("去延长", "Extend it")
}

pub const fn reason(language: Language) -> &'static str {
    language.pick("查看原因", "See the reason")
}

pub const fn reason_term(language: Language) -> &'static str {
    language.pick("原因", "Reason")
}

pub const fn over_term(language: Language) -> &'static str {
    language.pick("到期", "Ended")
}

/// Of a lab that lost its volume.
pub const fn without_files(language: Language) -> &'static str {
    language.pick("原因和重试都在它的页面上；恢复后此页会自动打开它。", "Its page has a way to try again; this page opens it when it works.")
}

/// Shown to people who came by a link, in the place of the links to the portal.
pub const fn guest(language: Language) -> &'static str {
    language.pick("由环境的归属人启动；就绪后此页会自动打开它。", "Its owner starts it; this page opens it as soon as it is ready.")
}

pub fn ask_for_link(language: Language, owner: &str) -> String {
    match language {
        Language::Chinese => format!("链接已到期、已撤销，或者环境已销毁。请向 {owner} 要一个新的。"),
        Language::English => format!("It was withdrawn, its time is over, or its lab is gone. Ask {owner} for a new one."),
    }
}

pub const fn portal(language: Language) -> &'static str {
    language.pick("返回 Lectern", "Go to Lectern")
}

pub const fn lab_page(language: Language) -> &'static str {
    language.pick("环境页面", "Page of the lab")
}

pub const fn port_term(language: Language) -> &'static str {
    language.pick("端口", "Port")
}

/// In the place of the text about the lab's own application.
pub fn no_server(language: Language, port: u16) -> String {
    match language {
        Language::Chinese => format!("环境的 {port} 端口上没有程序响应。请在环境里启动服务，并监听 0.0.0.0:{port}，然后重试。"),
        Language::English => {
            format!("Nothing answers on port {port} of the lab. Start your server there, so that it listens on 0.0.0.0:{port}, and try again.")
        }
    }
}

pub const fn try_again(language: Language) -> &'static str {
    language.pick("重试", "Try again")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(accepted: &str) -> Language {
        let mut headers = HeaderMap::new();
        headers.insert("accept-language", accepted.parse().unwrap());
        Language::of(&headers)
    }

    #[test]
    fn the_reader_gets_the_language_they_prefer_and_chinese_without_a_word() {
        assert_eq!(language("en-GB,en;q=0.9,zh-CN;q=0.8"), Language::English);
        assert_eq!(language("zh,en;q=0.9"), Language::Chinese);
        for silence in ["", "*", "fr", "en;q=0", "en;q=x", ";;;,,,"] {
            assert_eq!(language(silence), Language::Chinese, "{silence:?}");
        }
        assert_eq!(Language::of(&HeaderMap::new()), Language::Chinese);
    }

    #[test]
    fn every_text_is_there_and_needs_no_escape_in_json() {
        for matter in Matter::ALL {
            for language in [Language::Chinese, Language::English] {
                for text in [matter.title(language), matter.text(language), matter.code()] {
                    assert!(!text.is_empty() && !text.contains(['"', '\\', '\n', '<', '&']), "{text}");
                }
            }
            assert_ne!(matter.text(Language::Chinese), matter.text(Language::English));
        }
        for language in [Language::Chinese, Language::English] {
            assert!(no_server(language, 8_501).contains("8501"));
        }
        for lab in LabState::ALL {
            assert_ne!(state(lab, Language::Chinese), state(lab, Language::English));
        }
    }
}
