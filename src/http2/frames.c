#include "http2/frames.h"

#include <nghttp2/nghttp2.h>

static void advance(struct bytes *input, size_t size) {
    input->data += size;
    input->size -= size;
}

static uint32_t length_of(const uint8_t *head) {
    return (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
}

/* Returns how many bytes are wanted before the frame can be told of. */
static size_t head_size(const struct http2_frames *frames) {
    const uint8_t *head = frames->head;
    bool padded = frames->have >= HTTP2_FRAME_HEAD_SIZE && head[3] == NGHTTP2_DATA && head[4] & NGHTTP2_FLAG_PADDED &&
                  length_of(head) > 0;
    return HTTP2_FRAME_HEAD_SIZE + (padded ? 1 : 0);
}

static void note_section(struct http2_frames *frames, const struct http2_frame *frame) {
    if (frame->type == NGHTTP2_HEADERS || frame->type == NGHTTP2_PUSH_PROMISE || frame->type == NGHTTP2_CONTINUATION) {
        frames->in_head = (frame->flags & NGHTTP2_FLAG_END_HEADERS) == 0;
    }
}

bool http2_frames_next(struct http2_frames *frames, struct bytes *input, struct http2_frame *frame) {
    size_t skipped = input->size < frames->left ? input->size : frames->left;
    if (skipped > 0) {
        advance(input, skipped);
        frames->left -= (uint32_t)skipped;
    }
    while (input->size > 0 && frames->have < head_size(frames)) {
        frames->head[frames->have++] = input->data[0];
        advance(input, 1);
    }
    if (frames->have < head_size(frames)) {
        return false;
    }
    const uint8_t *head = frames->head;
    *frame = (struct http2_frame){
        .length = length_of(head),
        .stream_id = ((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]) & INT32_MAX,
        .type = head[3],
        .flags = head[4],
        .padding = frames->have > HTTP2_FRAME_HEAD_SIZE ? head[HTTP2_FRAME_HEAD_SIZE] : 0,
    };
    frames->left = frame->length - (frames->have > HTTP2_FRAME_HEAD_SIZE);
    frames->have = 0;
    note_section(frames, frame);
    return true;
}
