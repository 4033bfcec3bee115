//! The right to go on reading a long answer: followed logs and files that are sent while they are made. It ends with the session or token that
//! asked, when the person is disabled, and when their rights change: at once where this process did it, else within five seconds. Streams of
//! events look more rarely ([`crate::events`]): there is one for each open page, and they tell only that something changed.

use std::{io, time::Duration};

use domain::{
    Error,
    access::Actor,
    ids::{TokenId, UserId},
};
use futures::{Stream, StreamExt as _, stream};
use services::{
    Caller, Services,
    digest::hex_sha256,
    hub::{Listening, News},
};
use tower_sessions::Session;

/// Time between two looks, where nobody tells.
const CHECK: Duration = Duration::from_secs(3);
/// Longest time for a look. While the database does not answer, nothing is known to have ended.
const PATIENCE: Duration = Duration::from_secs(1);
/// News from the time before the request came here is heard too.
const MARGIN: Duration = Duration::from_secs(2);

/// The proof by which somebody reads.
enum Proof {
    /// By its stored id.
    Session {
        id: String,
        credentials_version: i64,
    },
    Token(TokenId),
}

pub struct Reader {
    services: Services,
    actor: Actor,
    proof: Proof,
    told: Listening,
}

impl Reader {
    /// Errors: `Unauthenticated` where nobody is signed in.
    pub async fn of_session(services: &Services, caller: &Caller, session: &Session) -> Result<Self, Error> {
        let held = app::caller::session_user(session).await?.zip(session.id());
        let ((_, credentials_version), id) = held.ok_or(Error::Unauthenticated)?;
        Ok(Self::with(services, caller, Proof::Session { id: hex_sha256(id.to_string()), credentials_version }))
    }

    pub fn of_token(services: &Services, caller: &Caller, token: TokenId) -> Self {
        Self::with(services, caller, Proof::Token(token))
    }

    fn with(services: &Services, caller: &Caller, proof: Proof) -> Self {
        let user = caller.actor.user;
        let told = services.hub.listen(MARGIN, move |news| matches!(news, News::Access(whose) if whose.is_none_or(|whose| whose == user)));
        Self { services: services.clone(), actor: caller.actor.clone(), proof, told }
    }

    pub const fn user(&self) -> UserId {
        self.actor.user
    }

    /// The name of the session or token, by which its streams are counted.
    pub fn name(&self) -> String {
        match &self.proof {
            Proof::Session { id, .. } => id.clone(),
            // The tokens of one person count together.
            Proof::Token(_) => format!("api {}", self.actor.user),
        }
    }

    /// Ends when the reader may not go on.
    pub async fn leaves(mut self) {
        loop {
            tokio::select! {
                heard = self.told.next() => {
                    // The process ends.
                    if heard.is_none() {
                        return;
                    }
                }
                () = tokio::time::sleep(CHECK) => {}
            }
            // One look is for all that was told until now.
            self.told.skip();
            match tokio::time::timeout(PATIENCE, self.now()).await {
                Ok(Ok(Some(actor))) if actor == self.actor => {}
                Ok(Ok(_)) => return,
                Ok(Err(error)) => tracing::debug!(%error, "a reader could not be looked up"),
                Err(_) => tracing::debug!("a reader could not be looked up in time"),
            }
        }
    }

    /// The person as they are now; `None` if the proof is good no more.
    async fn now(&self) -> Result<Option<Actor>, Error> {
        match &self.proof {
            Proof::Session { id, credentials_version } => services::sessions::holder(&self.services, id, self.actor.user, *credentials_version).await,
            Proof::Token(token) => services::tokens::holder(&self.services, *token).await,
        }
    }

    /// The pieces of a file, for as long as it may be read. Then it breaks off, so that nobody takes the part for the whole.
    pub fn reads<T, E>(self, pieces: impl Stream<Item = Result<T, E>> + Send + 'static) -> impl Stream<Item = io::Result<T>> + Send + 'static
    where
        T: Send + 'static,
        E: std::error::Error + Send + Sync + 'static,
    {
        let begun = (Box::pin(pieces), Box::pin(self.leaves()), false);
        stream::unfold(begun, |(mut pieces, mut leaves, is_over)| async move {
            if is_over {
                return None;
            }
            tokio::select! {
                biased;
                () = &mut leaves => Some((Err(io::Error::other("the reader may not read on")), (pieces, leaves, true))),
                piece = pieces.next() => piece.map(|piece| (piece.map_err(io::Error::other), (pieces, leaves, false))),
            }
        })
        // Bodies are asked again after their end.
        .fuse()
    }
}

#[cfg(test)]
mod tests {
    use domain::{access::Scope, tokens::TokenForm};
    use services::{testing::TestWorld, tokens};

    use super::*;

    /// A token of this person and what authenticates by it.
    async fn token(services: &Services, caller: &Caller) -> (TokenId, Caller) {
        let id = TokenId::from_uuid(services.entropy.uuid());
        let form = TokenForm { name: format!("token {id}"), scopes: vec![Scope::LabsRead.as_str().to_owned()], days: "90".to_owned() };
        tokens::create(services, caller, id, &form).await.expect("a token");
        let secret = tokens::take(services, caller, id).expect("its secret");
        let actor = tokens::authenticate(services, &secret).await.expect("it is good");
        (id, Caller { actor, ..caller.clone() })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_reader_leaves_with_the_token_and_with_the_person() {
        let world = TestWorld::college().await;
        let course = world.course("CV2402").add().await;
        let (teacher, administrator) = (world.teacher("li.hua", &[&course]).await, world.administrator("admin").await);
        let services = &world.services;
        let (id, by_token) = token(services, &teacher).await;
        let (other, by_other) = token(services, &teacher).await;
        let reader = Reader::of_token(services, &by_token, id);
        assert_eq!(reader.now().await.expect("read").as_ref(), Some(&by_token.actor), "nothing has changed");
        let pieces = reader.reads(stream::iter([Ok::<_, io::Error>("first")]).chain(stream::pending()));
        let mut pieces = Box::pin(pieces);
        assert_eq!(pieces.next().await.expect("a piece").expect("good"), "first");
        tokens::revoke(services, &teacher, id).await.expect("revoked");
        assert!(pieces.next().await.expect("an end").is_err(), "it breaks off");
        assert!(pieces.next().await.is_none());
        assert!(pieces.next().await.is_none(), "also when it is asked again");

        // Another process disables the person.
        let reader = Reader::of_token(services, &by_other, other);
        services::people::disable(&world.replica(), &administrator, teacher.actor.user).await.expect("disabled");
        reader.leaves().await;
    }
}
