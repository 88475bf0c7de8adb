/* A camera that is not there: loaded before a program (LD_PRELOAD), it answers what Video4Linux is asked,
 * as a driver of a USB camera does, and films a clip, over and over.
 *
 *     cc -shared -fPIC -O2 testdata/camera.c -o camera.so -lavformat -lavcodec -lswscale -lavutil
 *     LD_PRELOAD=$PWD/camera.so CAMERA_CLIP=clip.mp4 effigy track /dev/video77 -o take.csv
 *
 * Only for tests and measurements: nothing of it is in the program. What it does is said by CAMERA_CLIP (what it
 * films), CAMERA_SIZE (640x360), CAMERA_RATE (30), CAMERA_UNPLUGGED_AFTER (so many frames), CAMERA_SILENT (no
 * frames at all), CAMERA_DAMAGED (every so manieth frame) and CAMERA_REFUSES (busy, denied, format). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
#include <linux/videodev2.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PATH "/dev/video77"
#define N_BUFFERS 4
#define BUFFER_BYTES (1 << 20)
#define MOST_FRAMES 250

static int camera = -1, n_frames, n_queued, n_given;
static int queued[N_BUFFERS];
static int64_t started_us;
static AVPacket *frames[MOST_FRAMES];

static int number(const char *name, int otherwise) {
    const char *said = getenv(name);
    return said ? atoi(said) : otherwise;
}

static int refuses(const char *what) {
    const char *said = getenv("CAMERA_REFUSES");
    return said && !strcmp(said, what);
}

static void size(int *width, int *height) {
    const char *said = getenv("CAMERA_SIZE");
    if (!said || sscanf(said, "%dx%d", width, height) != 2)
        *width = 640, *height = 360;
}

static int64_t now_us(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

/* The clip as Motion JPEG in the camera's size. */
static void film(void) {
    AVFormatContext *clip = NULL;
    const AVCodec *decodes = NULL;
    int width, height, stream;
    if (n_frames || !getenv("CAMERA_CLIP") || avformat_open_input(&clip, getenv("CAMERA_CLIP"), NULL, NULL) < 0)
        return;
    avformat_find_stream_info(clip, NULL);
    stream = av_find_best_stream(clip, AVMEDIA_TYPE_VIDEO, -1, -1, &decodes, 0);
    if (stream < 0)
        return;
    AVCodecContext *decoder = avcodec_alloc_context3(decodes);
    avcodec_parameters_to_context(decoder, clip->streams[stream]->codecpar);
    avcodec_open2(decoder, decodes, NULL);
    size(&width, &height);
    const AVCodec *mjpeg = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    AVCodecContext *encoder = avcodec_alloc_context3(mjpeg);
    encoder->width = width, encoder->height = height;
    encoder->pix_fmt = AV_PIX_FMT_YUVJ420P;
    encoder->time_base = (AVRational){1, 25};
    encoder->flags |= AV_CODEC_FLAG_QSCALE;
    encoder->global_quality = 3 * FF_QP2LAMBDA;
    avcodec_open2(encoder, mjpeg, NULL);
    AVFrame *decoded = av_frame_alloc(), *scaled = av_frame_alloc();
    scaled->width = width, scaled->height = height, scaled->format = AV_PIX_FMT_YUVJ420P;
    scaled->quality = encoder->global_quality;
    av_frame_get_buffer(scaled, 0);
    struct SwsContext *scaler = NULL;
    AVPacket *packet = av_packet_alloc();
    while (n_frames < MOST_FRAMES && av_read_frame(clip, packet) >= 0) {
        if (packet->stream_index == stream && avcodec_send_packet(decoder, packet) >= 0)
            while (n_frames < MOST_FRAMES && avcodec_receive_frame(decoder, decoded) >= 0) {
                /* As wide as it is high enough for, in the middle of grey. */
                int across = (int64_t)decoded->width * height / decoded->height & ~1;
                across = across < width ? across : width;
                int left = (width - across) / 2 & ~1;
                scaler = sws_getCachedContext(scaler, decoded->width, decoded->height, decoded->format, across,
                                              height, scaled->format, SWS_BICUBIC, NULL, NULL, NULL);
                av_frame_make_writable(scaled);
                for (int i = 0; i < 3; i++)
                    memset(scaled->data[i], 128, (size_t)scaled->linesize[i] * (i ? (height + 1) / 2 : height));
                uint8_t *into[3] = {scaled->data[0] + left, scaled->data[1] + left / 2,
                                    scaled->data[2] + left / 2};
                sws_scale(scaler, (const uint8_t *const *)decoded->data, decoded->linesize, 0, decoded->height,
                          into, scaled->linesize);
                scaled->pts = n_frames;
                frames[n_frames] = av_packet_alloc();
                avcodec_send_frame(encoder, scaled);
                if (avcodec_receive_packet(encoder, frames[n_frames]) >= 0 &&
                    frames[n_frames]->size <= BUFFER_BYTES)
                    n_frames++;
            }
        av_packet_unref(packet);
    }
    sws_freeContext(scaler);
    av_packet_free(&packet);
    av_frame_free(&decoded), av_frame_free(&scaled);
    avcodec_free_context(&decoder), avcodec_free_context(&encoder);
    avformat_close_input(&clip);
}

static int plug_in(void) {
    if (refuses("denied")) {
        errno = EACCES;
        return -1;
    }
    film();
    n_queued = n_given = 0;
    camera = memfd_create("camera", 0);
    if (ftruncate(camera, N_BUFFERS * BUFFER_BYTES) < 0)
        return -1;
    return camera;
}

int open64(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    if (!strcmp(path, PATH))
        return plug_in();
    return syscall(SYS_openat, AT_FDCWD, path, flags | O_LARGEFILE, mode);
}

int open(const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = va_arg(rest, mode_t);
    va_end(rest);
    return open64(path, flags, mode);
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *found) {
    /* Programs ask for no path to learn whether the call is there, which its declaration forbids. */
    const char *volatile given = path;
    if (given && !strcmp(given, PATH)) {
        memset(found, 0, sizeof *found);
        found->stx_mask = STATX_BASIC_STATS;
        found->stx_mode = S_IFCHR | 0660;
        found->stx_nlink = 1;
        found->stx_rdev_major = 81;
        return 0;
    }
    return syscall(SYS_statx, folder, path, flags, mask, found);
}

static int fails(int with) {
    errno = with;
    return -1;
}

/* Gives the next frame that is due. Those that no buffer was free for are lost, as in every driver. */
static int give(struct v4l2_buffer *buffer) {
    int64_t frame_us = 1000000 / number("CAMERA_RATE", 30), late;
    if (getenv("CAMERA_SILENT") || !n_frames)
        return fails(EAGAIN);
    if (number("CAMERA_UNPLUGGED_AFTER", 1 << 30) <= n_given)
        return fails(ENODEV);
    late = now_us() - (started_us + n_given * frame_us);
    if (late < 0 || !n_queued)
        return fails(EAGAIN);
    if (late > N_BUFFERS * frame_us)
        n_given += late / frame_us;
    AVPacket *frame = frames[n_given % n_frames];
    int is_damaged = (n_given + 1) % number("CAMERA_DAMAGED", 1 << 30) == 0;
    buffer->index = queued[0];
    memmove(queued, queued + 1, --n_queued * sizeof *queued);
    buffer->bytesused = is_damaged ? frame->size / 2 : frame->size;
    pwrite(camera, frame->data, frame->size, (off_t)buffer->index * BUFFER_BYTES);
    int64_t at_us = started_us + n_given++ * frame_us;
    buffer->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    buffer->timestamp.tv_sec = at_us / 1000000;
    buffer->timestamp.tv_usec = at_us % 1000000;
    return 0;
}

static int answer(unsigned long request, void *arg) {
    struct v4l2_capability *capability = arg;
    struct v4l2_format *format = arg;
    struct v4l2_streamparm *parameters = arg;
    struct v4l2_requestbuffers *buffers = arg;
    struct v4l2_buffer *buffer = arg;
    int width, height;
    switch ((unsigned)request) {
    case VIDIOC_QUERYCAP:
        capability->capabilities = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
        return 0;
    case VIDIOC_G_INPUT:
        *(int *)arg = 0;
        return 0;
    case VIDIOC_ENUMINPUT:
        return ((struct v4l2_input *)arg)->index ? fails(EINVAL) : 0;
    case VIDIOC_S_FMT:
        if (refuses("busy"))
            return fails(EBUSY);
        if (refuses("format") || format->fmt.pix.pixelformat != V4L2_PIX_FMT_MJPEG)
            return fails(EINVAL);
        size(&width, &height);
        format->fmt.pix.width = width, format->fmt.pix.height = height;
        format->fmt.pix.field = V4L2_FIELD_NONE;
        format->fmt.pix.sizeimage = BUFFER_BYTES;
        return 0;
    case VIDIOC_G_PARM:
    case VIDIOC_S_PARM:
        parameters->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
        parameters->parm.capture.timeperframe = (struct v4l2_fract){1, number("CAMERA_RATE", 30)};
        return 0;
    case VIDIOC_REQBUFS:
        buffers->count = N_BUFFERS;
        return 0;
    case VIDIOC_QUERYBUF:
        buffer->length = BUFFER_BYTES;
        buffer->m.offset = buffer->index * BUFFER_BYTES;
        return 0;
    case VIDIOC_QBUF:
        if (n_queued < N_BUFFERS)
            queued[n_queued++] = buffer->index;
        return 0;
    case VIDIOC_STREAMON:
        started_us = now_us();
        return 0;
    case VIDIOC_STREAMOFF:
        return 0;
    case VIDIOC_DQBUF:
        return give(buffer);
    default:
        return fails(EINVAL);
    }
}

int ioctl(int file, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *arg = va_arg(rest, void *);
    va_end(rest);
    if (file == camera && file >= 0)
        return answer(request, arg);
    return syscall(SYS_ioctl, file, request, arg);
}
