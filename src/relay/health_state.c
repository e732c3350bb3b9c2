#include "relay/health_state.h"

#include "base/check.h"

bool health_state_note(struct health_state *state, bool good, uint32_t rise, uint32_t fall) {
    CHECK(rise > 0 && fall > 0);
    if (good != state->down) {
        state->against = 0;
        return false;
    }
    state->against++;
    if (state->against < (state->down ? rise : fall)) {
        return false;
    }
    *state = (struct health_state){.down = !state->down};
    return true;
}
