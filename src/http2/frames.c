#include "http2/frames.h"

#include <nghttp2/nghttp2.h>

static void advance(struct bytes *input, size_t size) {
    input->data += size;
    input->size -= size;
}

static uint32_t word_at(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t length_of(const uint8_t *head) {
    return word_at(head) >> 8;
}

/*
 * Returns how many bytes of the payload belong to what a frame is known by: Pad Length, the stream of a PRIORITY, or the
 * increment of a WINDOW_UPDATE.
 */
static uint32_t look_of(const uint8_t *head) {
    if (head[3] == NGHTTP2_DATA && head[4] & NGHTTP2_FLAG_PADDED) {
        return length_of(head) > 0;
    }
    bool has_number = head[3] == NGHTTP2_PRIORITY || head[3] == NGHTTP2_WINDOW_UPDATE;
    return has_number && length_of(head) >= HTTP2_FRAME_LOOK_MAX ? HTTP2_FRAME_LOOK_MAX : 0;
}

static size_t wanted(const struct http2_frames *frames) {
    return HTTP2_FRAME_HEAD_SIZE + (frames->have < HTTP2_FRAME_HEAD_SIZE ? 0 : look_of(frames->head));
}

static void note_section(struct http2_frames *frames, const struct http2_frame *frame) {
    if (frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_PUSH_PROMISE || frame->type == NGHTTP2_CONTINUATION) {
        frames->in_head = (frame->flags & NGHTTP2_FLAG_END_HEADERS) == 0;
    }
}

void http2_frames_skip(struct http2_frames *frames, struct bytes *input) {
    size_t skipped = input->size < frames->left ? input->size : frames->left;
    if (skipped > 0) {
        advance(input, skipped);
        frames->left -= (uint32_t)skipped;
    }
}

bool http2_frames_next(struct http2_frames *frames, struct bytes *input, struct http2_frame *frame) {
    while (input->size > 0 && frames->have < wanted(frames)) {
        frames->head[frames->have++] = input->data[0];
        advance(input, 1);
    }
    if (frames->have < wanted(frames)) {
        return false;
    }
    const uint8_t *head = frames->head;
    uint32_t look = look_of(head);
    uint32_t number = look == HTTP2_FRAME_LOOK_MAX ? word_at(head + HTTP2_FRAME_HEAD_SIZE) & INT32_MAX : 0;
    *frame = (struct http2_frame){
        .length = length_of(head),
        .stream_id = word_at(head + 5) & INT32_MAX,
        .type = head[3],
        .flags = head[4],
        .padding = look == 1 ? head[HTTP2_FRAME_HEAD_SIZE] : 0,
        .dependency = head[3] == NGHTTP2_PRIORITY ? number : 0,
        .increment = head[3] == NGHTTP2_WINDOW_UPDATE ? number : 0,
    };
    frames->left = frame->length - look;
    frames->have = 0;
    note_section(frames, frame);
    return true;
}
