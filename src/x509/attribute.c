#include "x509/attribute.h"

#include "base/check.h"
#include "x509/oid.h"

static const struct {
    struct bytes oid;
    const char *name;
} attributes[] = {
    {OID_ATTRIBUTE_COMMON_NAME, "CN"},
    {OID_VIEW("\x55\x04\x04"), "SN"},
    {OID_VIEW("\x55\x04\x05"), "serialNumber"},
    {OID_VIEW("\x55\x04\x06"), "C"},
    {OID_VIEW("\x55\x04\x07"), "L"},
    {OID_VIEW("\x55\x04\x08"), "ST"},
    {OID_VIEW("\x55\x04\x09"), "street"},
    {OID_VIEW("\x55\x04\x0a"), "O"},
    {OID_VIEW("\x55\x04\x0b"), "OU"},
    {OID_VIEW("\x55\x04\x0c"), "title"},
    {OID_VIEW("\x55\x04\x0d"), "description"},
    {OID_VIEW("\x55\x04\x0f"), "businessCategory"},
    {OID_VIEW("\x55\x04\x10"), "postalAddress"},
    {OID_VIEW("\x55\x04\x11"), "postalCode"},
    {OID_VIEW("\x55\x04\x12"), "postOfficeBox"},
    {OID_VIEW("\x55\x04\x14"), "telephoneNumber"},
    {OID_VIEW("\x55\x04\x29"), "name"},
    {OID_VIEW("\x55\x04\x2a"), "GN"},
    {OID_VIEW("\x55\x04\x2b"), "initials"},
    {OID_VIEW("\x55\x04\x2c"), "generationQualifier"},
    {OID_VIEW("\x55\x04\x2d"), "x500UniqueIdentifier"},
    {OID_VIEW("\x55\x04\x2e"), "dnQualifier"},
    {OID_VIEW("\x55\x04\x41"), "pseudonym"},
    {OID_VIEW("\x55\x04\x48"), "role"},
    {OID_VIEW("\x55\x04\x61"), "organizationIdentifier"},
    {OID_ATTRIBUTE_EMAIL, "emailAddress"},
    {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02"), "unstructuredName"},
    {OID_VIEW("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x08"), "unstructuredAddress"},
    {OID_VIEW("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01"), "UID"},
    {OID_VIEW("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x03"), "mail"},
    {OID_VIEW("\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19"), "DC"},
    {OID_VIEW("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x01"), "jurisdictionL"},
    {OID_VIEW("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x02"), "jurisdictionST"},
    {OID_VIEW("\x2b\x06\x01\x04\x01\x82\x37\x3c\x02\x01\x03"), "jurisdictionC"},
};

const char *attribute_name(struct bytes oid) {
    for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++) {
        if (bytes_equal(attributes[i].oid, oid)) {
            return attributes[i].name;
        }
    }
    return NULL;
}

bool attribute_find(const char *name, struct bytes *oid) {
    for (size_t i = 0; i < ARRAY_LENGTH(attributes); i++) {
        if (bytes_equal_ignoring_case(bytes_of_string(attributes[i].name), bytes_of_string(name))) {
            *oid = attributes[i].oid;
            return true;
        }
    }
    return false;
}
