//! The palette: Ctrl K opens it on every page. A combobox that keeps the focus in its field while the arrows move the choice.

use domain::search::Hit;
use leptos::{ev, html, prelude::*};
use leptos_router::{
    NavigateOptions,
    hooks::{use_location, use_navigate},
};

use super::{
    api::typing,
    choices::{Choice, Does, found, own},
    keys::{self, KeysDialog},
};
use crate::{
    caller_view::use_viewer,
    components::{Glyph, Icon},
    i18n::td_string,
    language, routes,
};

/// How long nothing is asked for after a key: words come in bursts.
const PAUSE: std::time::Duration = std::time::Duration::from_millis(180);

/// Opens the palette; the bar and the keys share it.
#[derive(Clone, Copy)]
pub struct Open(RwSignal<bool>);

/// The field-like link in the bar. Without scripts it leads to the page.
#[component]
pub fn Finder() -> impl IntoView {
    let language = language::current();
    let open = move |event: ev::MouseEvent| {
        // Somebody who asks for a new tab gets one.
        if event.ctrl_key() || event.meta_key() || event.shift_key() {
            return;
        }
        if let Some(Open(open)) = use_context::<Open>() {
            event.prevent_default();
            open.set(true);
        }
    };
    view! {
        <a class="find" href=routes::SEARCH aria-label=format!("{} Ctrl K", td_string!(language, search.open)) aria-keyshortcuts="Control+K Meta+K" on:click=open>
            <Icon glyph=Glyph::Find small=true/>
            <span>{td_string!(language, search.open)}</span>
            " "
            <kbd>"Ctrl K"</kbd>
        </a>
    }
    .into_any()
}

impl Open {
    /// Made by the frame, before the bar that opens it.
    pub fn provide() {
        provide_context(Self(RwSignal::new(false)));
    }
}

#[component]
pub fn Palette() -> impl IntoView {
    let Open(open) = expect_context::<Open>();
    let help = RwSignal::new(false);
    let dialog = NodeRef::<html::Dialog>::new();
    keys::listen(open, help);
    Effect::new(move |_| {
        let Some(dialog) = dialog.get() else { return };
        if open.get() && !dialog.open() {
            // It only fails for a dialog that is gone from the page.
            let _ = dialog.show_modal();
        } else if !open.get() && dialog.open() {
            dialog.close();
        }
    });
    view! {
        <dialog
            class="palette"
            node_ref=dialog
            aria-label=td_string!(language::current(), search.open)
            // Escape closes it by itself, and the focus goes back to where it was. `close` comes a moment later than `cancel`: a
            // Ctrl K between the two would be taken for one that closes.
            on:cancel=move |_: ev::Event| open.set(false)
            on:close=move |_: ev::Event| open.set(false)
            on:click=move |event: ev::MouseEvent| {
                // A click beside it hits the dialog itself, not what is in it.
                if event.target() == event.current_target() {
                    open.set(false);
                }
            }
        >
            <Show when=move || open.get()><Content open help/></Show>
        </dialog>
        <KeysDialog open=help/>
    }
    .into_any()
}

/// The field and its list, made anew each time it opens.
#[component]
fn Content(open: RwSignal<bool>, help: RwSignal<bool>) -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    let typed = RwSignal::new(String::new());
    let active = RwSignal::new(0_u32);
    let form = NodeRef::<html::Form>::new();
    let posting = RwSignal::new(("", "", ""));
    let location = use_location();
    let search = Action::new(|text: &String| typing(text.clone()));
    let field = NodeRef::<html::Input>::new();
    Effect::new(move |_| {
        if let Some(field) = field.get() {
            let _ = field.focus();
        }
    });
    let ask = leptos::leptos_dom::helpers::debounce(PAUSE, move |text: String| {
        if !text.trim().is_empty() && open.try_get_untracked() == Some(true) {
            search.dispatch(text);
        }
    });
    let mut ask = ask;
    let choices = Memo::new(move |_| {
        let Some(person) = viewer.person() else { return Vec::new() };
        let typed = typed.get();
        let hits: Vec<Hit> = if typed.trim().is_empty() { Vec::new() } else { search.value().get().and_then(Result::ok).unwrap_or_default() };
        let mut all = own(language, &person, &typed);
        all.extend(found(language, &person, &hits, &typed));
        all
    });
    let navigate = use_navigate();
    let choose = Callback::new(move |choice: Choice| match choice.does {
        Does::Go(href) => {
            open.set(false);
            navigate(&href, NavigateOptions::default());
        }
        Does::Help => {
            open.set(false);
            help.set(true);
        }
        Does::Post(path, name, value) => {
            posting.set((path, name, value));
            // The form has its fields after the next drawing.
            request_animation_frame(move || {
                if let Some(form) = form.get_untracked() {
                    // `submit` would fire no submit event.
                    let _ = form.request_submit();
                }
            });
        }
    });
    let count = move || u32::try_from(choices.with(Vec::len)).unwrap_or_default();
    let on_key = move |event: ev::KeyboardEvent| {
        if composes(event.is_composing(), event.key_code()) {
            return;
        }
        let last = count().saturating_sub(1);
        let now = active.get_untracked().min(last);
        let next = match event.key().as_str() {
            "ArrowDown" if now >= last => 0,
            "ArrowDown" => now + 1,
            "ArrowUp" if now == 0 => last,
            "ArrowUp" => now - 1,
            "Home" if event.ctrl_key() => 0,
            "End" if event.ctrl_key() => last,
            "Enter" => {
                event.prevent_default();
                if let Some(choice) = choices.with_untracked(|all| all.get(now as usize).cloned()) {
                    choose.run(choice);
                }
                return;
            }
            _ => return,
        };
        event.prevent_default();
        active.set(next);
        scroll_to(next);
    };
    view! {
        <div class="affix">
            <Icon glyph=Glyph::Find/>
            <input
                class="input"
                type="search"
                role="combobox"
                aria-expanded="true"
                aria-controls="palette-list"
                aria-autocomplete="list"
                aria-activedescendant=move || (count() > 0).then(|| option_id(active.get()))
                aria-label=td_string!(language, search.open)
                placeholder=td_string!(language, search.placeholder)
                autocomplete="off"
                spellcheck="false"
                node_ref=field
                on:input:target=move |event| {
                    let text = event.target().value();
                    typed.set(text.clone());
                    active.set(0);
                    ask(text);
                }
                on:keydown=on_key
            />
        </div>
        <ul class="listbox" role="listbox" id="palette-list" aria-label=td_string!(language, search.open)>
            {move || {
                let mut group = "";
                choices
                    .get()
                    .into_iter()
                    .zip(0_u32..)
                    .map(|(choice, index)| {
                        let head = (choice.group != group).then(|| {
                            group = choice.group;
                            view! { <li class="group" role="presentation">{choice.group}</li> }
                        });
                        view! {
                            {head}
                            <Line choice index active choose/>
                        }
                    })
                    .collect_view()
            }}
        </ul>
        <p class="sr" role="status">
            {move || if search.pending().get() {
                td_string!(language, search.searching).to_owned()
            } else {
                td_string!(language, search.results, count = count()).to_string()
            }}
        </p>
        <form method="post" action=move || posting.get().0 node_ref=form hidden>
            <input
                type="hidden"
                name="back"
                value=move || {
                    let search = location.search.get();
                    let path = location.pathname.get();
                    if search.is_empty() { path } else { format!("{path}?{search}") }
                }
            />
            <input type="hidden" name=move || posting.get().1 value=move || posting.get().2/>
        </form>
    }
    .into_any()
}

/// Whether the key belongs to an input method. Safari ends the composition before the key that ends it, and gives that key the code 229.
const fn composes(is_composing: bool, key_code: u32) -> bool {
    is_composing || key_code == 229
}

fn option_id(index: u32) -> String {
    format!("palette-{index}")
}

/// The focus stays in the field, so the list does not follow by itself.
fn scroll_to(index: u32) {
    #[cfg(feature = "hydrate")]
    if let Some(option) = document().get_element_by_id(&option_id(index)) {
        option.scroll_into_view_with_bool(false);
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = index;
}

#[component]
fn Line(choice: Choice, index: u32, active: RwSignal<u32>, choose: Callback<Choice>) -> impl IntoView {
    let Choice { glyph, text, about, .. } = choice.clone();
    let on = move || active.get() == index;
    view! {
        <li
            role="option"
            id=option_id(index)
            class="opt"
            class:on=on
            aria-selected=move || if on() { "true" } else { "false" }
            on:click=move |_| choose.run(choice.clone())
            on:mousemove=move |_| {
                if active.get_untracked() != index {
                    active.set(index);
                }
            }
        >
            <Icon glyph small=true/>
            <span>{text}</span>
            {(!about.is_empty()).then(|| view! { <small class="end">{about}</small> })}
        </li>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::composes;

    #[test]
    fn an_enter_that_ends_a_composition_is_the_input_methods() {
        assert!(composes(true, 13) && composes(false, 229) && composes(true, 229));
        assert!(!composes(false, 13));
    }
}
