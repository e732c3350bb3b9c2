/*
 * The configuration as one immutable, counted snapshot: the YAML file and everything it names, loaded and checked as a
 * whole. A file with any problem yields no snapshot, so nothing is ever served on a doubt.
 */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "config/problems.h"
#include "guard/holders.h"
#include "guard/prefix.h"
#include "guard/sources.h"
#include "http/removals.h"
#include "identity/identity.h"
#include "tls/credentials.h"

#include <stdatomic.h>
#include <sys/socket.h>

enum {
    CONFIG_ORIGIN_ADDRESSES_MAX = 64, /* for each host, all names resolved */
};

enum config_mode { CONFIG_OFF, CONFIG_REPORT, CONFIG_ENFORCE };

const char *config_mode_name(enum config_mode mode);

struct config_limits {
    uint32_t handshake_timeout_ms;
    uint32_t request_header_timeout_ms;
    uint32_t idle_timeout_ms;
    uint32_t request_header_size;    /* bytes */
    uint32_t connections;            /* for the whole process; where it is not set, at most: see server/capacity.h */
    unsigned connections_line;       /* where it is set; 0: it is not */
    uint32_t certificate_chain_size; /* bytes */
    uint32_t response_headers;       /* of an origin's answer */
};

/* What keeps one source from harming the others. */
struct config_admission {
    struct prefix *allow; /* sources that nothing of it applies to, and that count as known */
    size_t allow_count;
    struct source_limits source; /* of sources without a valid certificate lately */
    struct holder_limits holder; /* of one valid certificate */
};

struct config_address {
    struct sockaddr_storage address;
    socklen_t size;
    char *text; /* "127.0.0.1:9000", for logs */
};

struct config_host {
    char *name;     /* lower case; "*.example.com" for a wildcard */
    uint32_t index; /* its place in config.hosts */
    bool is_default;
    enum config_mode mode;
    struct tls_credentials *credentials;
    char *certificate_path;
    struct trust *trust;           /* NULL when mode is off */
    struct revocation *revocation; /* NULL when mode is off or there is no client_auth.crl */
    bool advertise_ca_names;
    struct forward forward;
    struct http_removals *strip; /* forward.strip: header names that its origins get from no client; NULL when absent */
    struct identity_policy policy;
    uint8_t ticket_scope[IDENTITY_DIGEST_SIZE]; /* of name, mode and policy: within which a session may be resumed */
    struct bytes deny_json;                     /* bodies of the 403; owned; never empty */
    struct bytes deny_html;
    char *methods; /* that are relayed, as the header Allow has them; NULL: all. See methods.h */
    struct config_address *origins;
    size_t origin_count;  /* 1 to CONFIG_ORIGIN_ADDRESSES_MAX */
    bool origin_pool_off; /* each client's connection has its own to the origin */
};

struct config {
    atomic_uint references;
    char *path;
    char **listen; /* "address:port" as given */
    size_t listen_count;
    char *admin_address; /* NULL when absent */
    char **admin_names;  /* by which it may be asked, lower case */
    size_t admin_name_count;
    uint32_t shards; /* 0: auto */
    struct config_limits limits;
    struct config_admission admission;
    uint32_t cert_cache_entries;
    uint32_t ticket_lifetime_s;
    char *access_log; /* NULL: off */
    struct config_host *hosts;
    size_t host_count;
    struct config_host **exact; /* sorted by name */
    size_t exact_count;
    struct config_host **wildcards; /* sorted by the part behind "*" */
    size_t wildcard_count;
    struct config_host *default_host; /* NULL when none */
    struct http_removals *removals;
    struct config_problems warnings; /* what is served as the file says, but hardly as it is meant; by line */
};

/*
 * Reads the file and all it names. NULL with at least one problem, sorted by line; all that can be found in one pass are
 * reported. The result has one reference, and has its `warnings`: they never make a file one that is not served.
 */
struct config *config_load(const char *path, struct config_problems *problems);
struct config *config_retain(struct config *config);
void config_release(struct config *config);

/*
 * The host for a server name (lower case, no trailing dot): exact, then wildcard of one label. "" is the default host.
 * NULL when there is none: the answer is the alert unrecognized_name.
 */
const struct config_host *config_find_host(const struct config *config, const char *name);

#endif
