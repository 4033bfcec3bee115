//! Every component once, to look at. Not part of the product.

use domain::{money::{Currency, Money}, time::Timestamp};
use leptos::prelude::*;

use super::*;

#[component]
pub fn GalleryPage() -> impl IntoView {
    let at = Timestamp::from_micros(1_795_212_189_250_000);
    let toasts = use_toasts();
    let clicks = RwSignal::new(0);
    let error = RwSignal::new(Some("Between 1 and 8, please.".to_owned()));
    let messages = Signal::derive(move || error.get().map(|text| FieldMessage { field: "gpu".into(), label: "Cards".into(), text }).into_iter().collect::<Vec<_>>());
    view! {
        <PageHead title="组件 Components" lead="Three lessons today; the next starts at 10:00." crumb=("/orders".to_owned(), "订单".to_owned())>
            <LinkButton href="/orders">"Other"</LinkButton>
            <Button kind=ButtonKind::Primary button_type=ButtonType::Button on:click=move |_| clicks.update(|n| *n += 1)>"Clicked "{clicks}</Button>
        </PageHead>
        <Notice kind=NoticeKind::Warn title="09:41 起连不上集群。">"照常下单"</Notice>
        <Notice kind=NoticeKind::Bad title="Seat 12 did not start.">"Nothing was billed."</Notice>
        <Notice title="Maintenance on Saturday.">"Running labs go on."</Notice>
        <Tabs label="States" items=vec![LinkItem::new("/gallery", "All", true).with_count("12"), LinkItem::new("/gallery?x=1", "Queued", false)]/>
        <Segmented label="States" items=vec![LinkItem::new("/gallery", "All", true), LinkItem::new("/gallery?x=1", "Queued", false)]/>
        <div class="cols main-side">
            <div class="stack loose">
                <Card title="My labs" flush=true end=|| view! { <a href="/labs">"All 9"</a> }>
                    <DataTable caption="My labs" columns=vec![Column::text("Lab"), Column::text("State"), Column::text("Stops at"), Column::number("Cost today")]>
                        <Row><Cell label="Lab"><b>"Lesson prep"</b><small>"JupyterLab"</small></Cell><Cell label="State" place=CellPlace::Corner><Status kind=StatusKind::Live>"Running"</Status></Cell><Cell label="Stops at"><Moment at style=MomentStyle::Time/></Cell><Cell label="Cost today" numeric=true><Amount money=Money::new(1_980_000, Currency::Cny)/></Cell></Row>
                        <Row attention=StatusKind::Warn><Cell label="Lab"><b>"Thesis"</b></Cell><Cell label="State" place=CellPlace::Corner><Status kind=StatusKind::Warn>"Idle 34 min"</Status></Cell><Cell label="Stops at"><Moment at/></Cell><Cell label="Cost today" numeric=true><Amount money=Money::new(1_044_120_000, Currency::Cny) per="课"/></Cell></Row>
                    </DataTable>
                    <Pager older="/gallery?after=1" newer="/gallery" note="10,000+"/>
                </Card>
                <Section title="Form">
                    <form class="stack" method="get">
                        <div class="fields">
                            <TextField name="gpu" label="Cards" value="9" error=error unit="张" input_mode="numeric" help="1 to 8"/>
                            <TextField name="title" label="Name" value="" optional=true help="For your list" on_input=Callback::new(move |_| error.set(None))/>
                            <SelectField name="course" label="Course" choices=vec![("a".into(), "AI2301".into()), ("b".into(), "CV2402".into())] value="b"/>
                            <TextArea name="why" label="Reason" value="课堂 <b>" maxlength=500/>
                        </div>
                        <ChoiceCards name="model" label="Card" value="a100" choices=vec![
                            Choice { value: "a100".into(), name: "A100 1/7".into(), price: Some("¥1.70 / h".into()), about: Some("10 GB".into()), disabled: false },
                            Choice { value: "h100".into(), name: "H100".into(), price: Some("¥30.00 / h".into()), about: Some("None free".into()), disabled: true },
                        ]/>
                        <CheckField name="keep" label="Keep me signed in" checked=true/>
                        <FormErrors messages/>
                        <div class="actions"><Button kind=ButtonKind::Primary>"Send"</Button><Button kind=ButtonKind::Quiet button_type=ButtonType::Button on:click=move |_| toasts.show_with_undo("Stopped; files are kept.", move || clicks.set(0))>"Toast"</Button><Button busy=true>"Busy"</Button><Button disabled=true>"Off"</Button>
                        </div>
                    </form>
                    <ConfirmDialog id="destroy" open_text="Destroy" title="Destroy 'Thesis'?" confirm_text="Destroy the lab" action="/gallery"><p class="soft">"38 GB of files go."</p></ConfirmDialog>
                </Section>
                <Card title="Per day"><BarChart caption="Cost per day" bars=(1..15).map(|d| Bar { label: format!("{d}"), value: d * d % 37, text: format!("¥{d}.00") }).collect() limit=(30, "Budget".to_owned())/></Card>
                <EmptyState glyph=Glyph::Lab title="这门课还没有订过环境" text="从上次用过的开始。"><LinkButton small=true href="/catalogue">"看目录"</LinkButton></EmptyState>
                <Skeleton/>
                <ErrorNotice error=crate::error::AppError(domain::Error::Unauthenticated)/>
            </div>
            <aside class="stack loose">
                <Card title="What is left">
                    <Meter label="Cards started today" figure="10 / 12" used=4 held=6 limit=12 note="4 started"/>
                    <Meter label="Budget" figure="¥1,201.80" used=62 held=8 limit=100 attention=StatusKind::Warn note="of ¥4,000" end_note="gone about 27 Nov"/>
                    <Facts><Fact name="Card">"A100"</Fact><Fact name="Seats"><Quantity value="26" unit="座"/></Fact></Facts>
                </Card>
                <Card title="History"><Timeline wide=true>
                    <TimelineItem at kind=StatusKind::Ok title="Approved">"By the head"</TimelineItem>
                    <TimelineItem at kind=StatusKind::Bad title="Failed">"No card"</TimelineItem>
                    <TimelineItem at kind=StatusKind::Wait title="Waiting"/>
                </Timeline></Card>
                <p>{[StatusKind::Ok, StatusKind::Live, StatusKind::Busy, StatusKind::Wait, StatusKind::Held, StatusKind::Idle, StatusKind::Off, StatusKind::Warn, StatusKind::Bad].map(|kind| view! { <Status kind>{kind.name()}</Status>" " }).into_iter().collect_view()}</p>
            </aside>
        </div>
    }
}
