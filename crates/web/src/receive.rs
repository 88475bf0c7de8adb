//! Files on their way in: counted, hashed and stored piece by piece, whatever their names and types say.

use axum::body::Body;
use axum::extract::Multipart;
use effigy_queue::{Stored, safe_name};
use futures_util::StreamExt as _;

use crate::problem::Problem;
use crate::studio::Studio;

/// A file that arrived whole.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) stored: Stored,
    /// Its name, made harmless.
    pub(crate) name: String,
}

/// Files of one form.
const MOST_FILES: usize = 100;

/// Takes the body as one file.
pub(crate) async fn body(studio: &Studio, name: &str, body: Body) -> Result<Received, Problem> {
    let mut upload = studio.store.upload(studio.most_file_bytes)?;
    let mut pieces = body.into_data_stream();
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => upload.write(&piece).await?,
            Err(error) => {
                upload.abort().await;
                return Err(Problem::interrupted(error));
            }
        }
    }
    Ok(Received {
        stored: upload.finish().await?,
        name: safe_name(name),
    })
}

/// Takes the files of a form's field `files`. A form without any is a problem.
pub(crate) async fn form(studio: &Studio, mut form: Multipart) -> Result<Vec<Received>, Problem> {
    let mut received = Vec::new();
    while let Some(mut field) = form.next_field().await.map_err(Problem::interrupted)? {
        let name = match field.file_name() {
            Some(name) if field.name() == Some("files") => safe_name(name),
            _ => continue,
        };
        let was_chosen = field.file_name() != Some("");
        if received.len() == MOST_FILES {
            let why = format!("a form may have {MOST_FILES} files");
            return Err(Problem::bad_request(why));
        }
        let mut upload = studio.store.upload(studio.most_file_bytes)?;
        loop {
            match field.chunk().await {
                Ok(Some(piece)) => upload.write(&piece).await?,
                Ok(None) => break,
                Err(error) => {
                    upload.abort().await;
                    return Err(Problem::interrupted(error));
                }
            }
        }
        if was_chosen {
            let stored = upload.finish().await?;
            received.push(Received { stored, name });
        } else {
            upload.abort().await;
        }
    }
    if received.is_empty() {
        return Err(Problem::no_file());
    }
    Ok(received)
}
