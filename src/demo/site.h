/* The site that the demo serves: its ports and the files in its folder. */
#ifndef DEMO_SITE_H
#define DEMO_SITE_H

#include "demo/folder.h"

#define DEMO_HOST_ENFORCE "enforce.localhost"
#define DEMO_HOST_REPORT  "report.localhost"

enum {
    DEMO_PORT_DEFAULT = 8443,
    DEMO_ADMIN_PORT_DEFAULT = 9443,
};

struct demo_ports {
    uint16_t https;
    uint16_t admin;
    uint16_t origin;
    bool ipv6; /* ::1 exists here, so https listens on it too */
};

/* Every file that the demo writes. */
extern const char *const demo_site_files[];
extern const size_t demo_site_file_count;

/*
 * Sets `https`, `admin` and `ipv6`. `https` becomes `wanted`, or any free port when `wanted` is 0, or is taken and `any` is
 * true; `admin` becomes its default or any free port. 0, or -EADDRINUSE with one line in `error`.
 */
int demo_site_choose_ports(struct demo_ports *ports, uint16_t wanted, bool any, struct error *error);

/*
 * Makes certificates and pages, or takes those of an earlier demo when all of them are there (*reused). When only some are
 * there, that is an error: nothing is overwritten. 0, or a negative errno with one line in `error`.
 */
int demo_site_prepare(const struct demo_folder *folder, bool *reused, struct error *error);

/*
 * Writes sallyport.yaml, in place of one that an earlier demo has written. 0, or a negative errno with one line in `error`.
 */
int demo_site_write_config(const struct demo_folder *folder, const struct demo_ports *ports, struct error *error);

#endif
