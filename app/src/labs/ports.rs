//! Servers in a lab beside its own application: a port to type, and those that listen, read from the lab when somebody asks.

use domain::{Error, labs::ports::ListeningPort};
use leptos::{prelude::*, server_fn::codec::GetUrl};

use crate::{
    components::{Button, Card, ErrorNotice},
    error::AppError,
    i18n::td_string,
    language, routes,
};

/// `None` where the lab's image cannot list them.
#[server(ReadPorts, endpoint = "labs/ports", input = GetUrl)]
pub async fn read_ports(id: String) -> Result<Option<Vec<ListeningPort>>, AppError> {
    use crate::caller::{caller, id_of, services};
    Ok(services::labs::ports(&services()?, &caller()?, id_of(&id)?).await?)
}

/// The card, for those who may enter the lab.
#[component]
pub fn PortsCard(id: String) -> impl IntoView {
    let language = language::current();
    let action = routes::lab_open(&id);
    let of_lab = StoredValue::new(id);
    let found = Action::new(move |(): &()| read_ports(of_lab.get_value()));
    let look = move |_| {
        found.dispatch(());
    };
    view! {
        <Card title=td_string!(language, ports.title) id="ports">
            <p class="soft">{td_string!(language, ports.lead)}</p>
            <form class="filters" method="post" action=action target="_blank">
                <div class="field">
                    <label for="port">{td_string!(language, ports.port)}</label>
                    <input
                        class="input small"
                        id="port"
                        name="port"
                        type="number"
                        inputmode="numeric"
                        min="1024"
                        max="65535"
                        required=true
                        placeholder="8501"
                    />
                </div>
                <div class="row">
                    <Button small=true>{td_string!(language, ports.open)}</Button>
                    <button type="button" class="btn small script-only" disabled=move || found.pending().get() on:click=look>
                        {td_string!(language, ports.look)}
                    </button>
                </div>
            </form>
            <div class="script-only" aria-live="polite">
                {move || if found.pending().get() {
                    view! { <p class="fine">{td_string!(language, ports.looking)}</p> }.into_any()
                } else {
                    found.value().get().map(|read| view! { <Found id=of_lab.get_value() read/> }).into_any()
                }}
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn Found(id: String, read: Result<Option<Vec<ListeningPort>>, AppError>) -> impl IntoView {
    let language = language::current();
    match read {
        Ok(Some(ports)) if ports.is_empty() => view! { <p class="soft">{td_string!(language, ports.none)}</p> }.into_any(),
        Ok(Some(ports)) => {
            let items = ports.into_iter().map(|port| view! { <Server action=routes::lab_open(&id) port/> }).collect_view();
            view! { <p class="soft">{td_string!(language, ports.found)}</p><ul class="plain-list">{items}</ul> }.into_any()
        }
        Ok(None) => view! { <p class="soft">{td_string!(language, ports.no_list)}</p> }.into_any(),
        Err(AppError(Error::InvalidTransition { .. })) => view! { <p class="soft">{td_string!(language, ports.not_running)}</p> }.into_any(),
        Err(error) => view! { <ErrorNotice error/> }.into_any(),
    }
}

#[component]
fn Server(action: String, port: ListeningPort) -> impl IntoView {
    let language = language::current();
    let ListeningPort { port, only_inside } = port;
    let rest = td_string!(language, ports.open_rest, port = port).to_string();
    view! {
        <li class="row">
            <span class="mono">{port}</span>
            <form method="post" action=action target="_blank">
                <input type="hidden" name="port" value=port.to_string()/>
                <Button small=true>{td_string!(language, ports.open)}<span class="sr">{rest}</span></Button>
            </form>
            {only_inside.then(|| view! { <span class="fine">{td_string!(language, ports.only_inside)}</span> })}
        </li>
    }
    .into_any()
}
