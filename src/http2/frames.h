/*
 * Follows the frames of an input by their heads alone (RFC 9113 section 4.1). nghttp2 does not tell of frames that it
 * ignores, nor whether a frame is complete.
 */
#ifndef HTTP2_FRAMES_H
#define HTTP2_FRAMES_H

#include "base/bytes.h"
#include "http2/allowance.h"

enum {
    HTTP2_FRAME_HEAD_SIZE = 9,
    HTTP2_FRAME_LOOK_MAX = 4, /* bytes of the payload that are looked at */
    HTTP2_PREFACE_SIZE = 24,
};

/* Zeroed at first; `left` is HTTP2_PREFACE_SIZE where a client's preface comes first. */
struct http2_frames {
    uint32_t left; /* bytes of payload, or of the preface, that are still to come */
    uint8_t have;  /* bytes of `head` */
    bool in_head;  /* a header section goes on in the next frame */
    uint8_t head[HTTP2_FRAME_HEAD_SIZE + HTTP2_FRAME_LOOK_MAX];
};

/* Skips the rest of a frame, as far as it has come. */
void http2_frames_skip(struct http2_frames *frames, struct bytes *input);
/* Takes the head of a frame from the front of the input, behind http2_frames_skip. True: it is complete, as `*frame`. */
bool http2_frames_next(struct http2_frames *frames, struct bytes *input, struct http2_frame *frame);

/* Returns whether all that has come ends with a frame, or a header section. */
static inline bool http2_frames_are_whole(const struct http2_frames *frames) {
    return frames->left == 0 && frames->have == 0 && !frames->in_head;
}

#endif
