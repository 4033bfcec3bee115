//! Orders as a teacher would place them. Each `Orders` is a course of its own, so that tests side by side do not meet.

use std::collections::BTreeMap;

use domain::{
    catalogue::{AppAccess, LabSpec, Localized, Workload},
    courses::Course,
    gpu::CardShare,
    ids::{CourseId, LabId, OrderId, TenantId, UserId},
    labs::{Lab, LabState, Lifecycle},
    money::{Currency, Money},
    quotas::QuotaSettings,
    secret::Secret,
    time::Timestamp,
};
use services::ports::LabOrder;
use uuid::Uuid;

pub struct Orders {
    pub course: Course,
}

impl Orders {
    /// A course that no other test uses.
    pub fn new() -> Self {
        Self::seeded(Uuid::new_v4())
    }

    /// The same course for the same seed, as snapshots need it.
    pub fn seeded(seed: Uuid) -> Self {
        let code = format!("CV{}", &seed.simple().to_string()[..8]);
        let mut settings = QuotaSettings::reference(Money::units(1_000, Currency::Cny));
        // Enough for the job of eight ranks.
        settings.limits.cpu_cores = 512;
        let course = Course {
            id: CourseId::from_uuid(seed),
            tenant: TenantId::from_uuid(Uuid::from_u128(seed.as_u128() + 1)),
            namespace: domain::courses::namespace("ai", &code),
            name: "Computer vision".into(),
            code,
            settings,
        };
        Self { course }
    }

    pub fn with_cards(mut self, cards: i64) -> Self {
        self.course.settings.limits.cards = CardShare::whole(cards);
        self
    }

    /// JupyterLab on a seventh of a card, with code to fetch.
    pub fn slice(&self) -> LabOrder {
        self.order(1, "a100-80g-1g.10gb", |spec| {
            spec.storage_gib = 20;
            spec.git_url = Some("https://git.example.edu/course/lesson-1.git".into());
            spec.environment = BTreeMap::from([("LESSON".into(), "1; rm -rf $HOME".into()), ("NVIDIA_VISIBLE_DEVICES".into(), "all".into())]);
        })
    }

    /// JupyterLab with two whole cards and a volume.
    pub fn notebook(&self) -> LabOrder {
        self.order(2, "a100-80g", |spec| {
            (spec.cards_per_node, spec.cpu_cores, spec.memory_gib, spec.storage_gib) = (2, 16, 128, 1_024);
        })
    }

    /// JupyterLab with one card and no volume.
    pub fn plain(&self) -> LabOrder {
        self.order(3, "a100-80g", |_| {})
    }

    /// Distributed training on eight nodes with a card each.
    pub fn training(&self) -> LabOrder {
        self.order(4, "a100-80g", |spec| {
            spec.workload = Workload::DistributedJob;
            spec.image = "docker.io/pytorch/pytorch:2.6.0-cuda12.4-cudnn9-runtime".into();
            spec.command = ["torchrun", "train.py"].map(Into::into).to_vec();
            (spec.nodes, spec.cpu_cores, spec.memory_gib) = (8, 16, 64);
        })
    }

    /// VS Code on one card, with a volume.
    pub fn editor(&self) -> LabOrder {
        self.order(5, "a100-80g", |spec| {
            spec.workload = Workload::CodeEditor;
            spec.image = "docker.io/codercom/code-server:4.104.1".into();
            (spec.port, spec.storage_gib, spec.health_path) = (8_080, 20, Some("/healthz".into()));
        })
    }

    /// A machine with one card, reached by SSH.
    pub fn shell(&self) -> LabOrder {
        self.order(6, "a100-80g", |spec| {
            spec.workload = Workload::Shell;
            spec.port = 2_222;
        })
    }

    /// A command that runs to its end, tried twice more if it fails.
    pub fn batch(&self) -> LabOrder {
        self.order(7, "a100-80g", |spec| {
            spec.workload = Workload::BatchJob;
            spec.command = ["python", "train.py"].map(Into::into).to_vec();
            (spec.retries, spec.storage_gib) = (2, 20);
        })
    }

    /// A model behind two replicas.
    pub fn inference(&self) -> LabOrder {
        self.order(8, "a100-80g", |spec| {
            spec.workload = Workload::Inference;
            (spec.nodes, spec.port, spec.storage_gib, spec.health_path) = (2, 8_000, 50, Some("/health".into()));
            spec.environment = BTreeMap::from([("LECTERN_MODEL".into(), "example/model".into())]);
        })
    }

    /// Small notebooks without a card, one for each of a class.
    pub fn class(&self, size: u128) -> Vec<LabOrder> {
        let small = |spec: &mut LabSpec| (spec.cards_per_node, spec.cpu_cores, spec.memory_gib) = (0, 1, 1);
        (0..size).map(|seat| self.order(100 + seat, "a100-80g", small)).collect()
    }

    fn order(&self, number: u128, card: &str, change: impl FnOnce(&mut LabSpec)) -> LabOrder {
        let id = |offset: u128| Uuid::from_u128(self.course.id.uuid().as_u128() + 0x100 * number + offset);
        let mut spec = LabSpec {
            workload: Workload::Notebook,
            image: "quay.io/jupyter/pytorch-notebook:cuda12-2025-06-02".into(),
            command: vec![],
            port: 8_888,
            card: card.parse().expect("a card"),
            cards_per_node: 1,
            nodes: 1,
            cpu_cores: 4,
            memory_gib: 16,
            storage_gib: 0,
            git_url: None,
            environment: BTreeMap::new(),
            secrets: BTreeMap::new(),
            retries: 0,
            health_path: None,
            app_access: None,
        };
        change(&mut spec);
        let lab = Lab {
            id: LabId::from_uuid(id(0)),
            order: OrderId::from_uuid(id(1)),
            tenant: self.course.tenant,
            course: self.course.id,
            owner: UserId::from_uuid(id(2)),
            name: format!("lab-204{number}"),
            namespace: self.course.namespace.clone(),
            offering_name: Localized { zh: "实验".into(), en: "Lab".into() },
            spec,
            minutes: 90,
            state: LabState::Pending,
            reserved: true,
            failure: None,
            created_at: Timestamp::from_seconds(1_795_000_000),
            first_running_at: None,
            ends_at: None,
            lifecycle: Lifecycle::default(),
            version: 1,
        };
        LabOrder {
            lab,
            course: self.course.clone(),
            owner_login: "wang.li@example.edu".into(),
            preferred_nodes: Vec::new(),
            at: Timestamp::from_seconds(1_795_000_000),
            secrets: BTreeMap::new(),
            own_secret: None,
            pod_annotations: BTreeMap::new(),
        }
    }
}

/// The same order of an application that takes the lab's own secret, which is `value`.
pub fn with_own_secret(mut order: LabOrder, value: &str) -> LabOrder {
    order.lab.spec.app_access = Some(AppAccess { variable: "JUPYTER_TOKEN".into(), header: "Authorization: token {secret}".into() });
    order.own_secret = Some(Secret::new(value.into()));
    order
}

/// Tells the simulated kubelet what becomes of the pods: `annotated(order, "waiting", "ImagePullBackOff")`.
pub fn annotated(mut order: LabOrder, key: &str, value: &str) -> LabOrder {
    order.pod_annotations.insert(format!("fake-kubelet/{key}"), value.into());
    order
}
