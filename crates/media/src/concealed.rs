//! Hears from libav's decoders that they made up parts of a picture.
//!
//! A decoder marks such a frame, but where it decodes several frames at once it may have given the
//! frame before (libav up to 6, see `decode_error_flags` there). What it logs is never lost: it logs
//! before the thread is done, and no frame is given before that.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ffmpeg_next::{codec, ffi};

/// Whether a decoder has made anything up.
#[derive(Clone, Debug, Default)]
pub(crate) struct Concealed(Arc<AtomicBool>);

impl Concealed {
    /// Whether anything was made up, and not taken yet.
    pub(crate) fn is_any(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Whether anything was made up since this was last called.
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }

    /// Listens to the decoder that `context` will become. This must outlive it.
    pub(crate) fn listen_to(&self, context: &mut codec::Context) {
        #[expect(unsafe_code, reason = "ffmpeg-next cannot set it")]
        // SAFETY: libav never follows `opaque`, and copies it into the contexts of its threads.
        unsafe {
            (*context.as_mut_ptr()).opaque = Arc::as_ptr(&self.0).cast_mut().cast();
        }
    }
}

/// Takes what libav logs from now on. Nothing is printed.
pub(crate) fn hear() {
    #[expect(unsafe_code, reason = "ffmpeg-next cannot take a log")]
    // SAFETY: `note` has the type that libav calls, and may be called from any thread.
    unsafe {
        ffi::av_log_set_callback(Some(note));
    }
}

/// How `ff_er_frame_end`, which makes up what is missing, begins what it logs.
const CONCEALING: &[u8] = b"concealing ";

/// `Values` is C's `va_list`, which is another type on every machine, and is not looked at.
#[expect(unsafe_code, reason = "libav calls it")]
unsafe extern "C" fn note<Values>(
    about: *mut c_void,
    _level: c_int,
    message: *const c_char,
    _values: Values,
) {
    if about.is_null() || message.is_null() {
        return;
    }
    // SAFETY: libav gives a C string, and null or a struct that begins with a pointer to its class.
    // Contexts of codecs have the class that is compared with; their `opaque` is null or was set by
    // `listen_to`, and what it points to outlives them.
    unsafe {
        if !CStr::from_ptr(message).to_bytes().starts_with(CONCEALING)
            || *about.cast::<*const ffi::AVClass>() != ffi::avcodec_get_class()
        {
            return;
        }
        let opaque = (*about.cast::<ffi::AVCodecContext>()).opaque;
        if let Some(concealed) = opaque.cast::<AtomicBool>().as_ref() {
            concealed.store(true, Ordering::Release);
        }
    }
}
