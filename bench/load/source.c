#include "load/source.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

int source_bind(int descriptor, uint32_t address) {
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    int on = 1;

    /* The port is chosen at connect(), when it only has to differ from those of the same source towards the same server. */
    if (setsockopt(descriptor, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) < 0 ||
        bind(descriptor, (const struct sockaddr *)&source, sizeof source) < 0) {
        return -errno;
    }
    return 0;
}
