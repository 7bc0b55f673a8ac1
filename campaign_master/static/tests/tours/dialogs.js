import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Contacts are added with a filter: the dialog says how many, and does not show what is fixed. */
tours.add("campaign_master_add_contacts", {
    steps: () => [
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        { trigger: "button:contains('Add Contacts')", run: "click" },
        {
            content: "The filter is empty, and its number is that of the contacts to add",
            trigger:
                ".modal:not(:has(.o_tree_editor_condition)) [name=domain] .o_domain_show_selection_button:contains(/^2 record/)",
        },
        { trigger: ".modal [name=summary]:contains('2 recipients will be added.')" },
        { trigger: ".modal [name=include_internal] input", run: "click" },
        { trigger: ".modal [name=summary]:contains('3 recipients will be added.')" },
        { trigger: ".modal [name=domain] .o_domain_show_selection_button:contains(/^3 record/)" },
        { trigger: ".modal [name=include_internal] input", run: "click" },
        { trigger: ".modal [name=summary]:contains('2 recipients will be added.')" },
        { trigger: ".modal button[name=action_add]:contains('Add')", run: "click" },
        { trigger: ".o_notification:contains('2 recipients were added to “Spring offers”')" },
        { trigger: ".o_form_view:not(:has(.modal)) .o_data_row:contains('Person 0')" },
    ],
});

/** A sent campaign is locked and says why; more people go to a new campaign. */
tours.add("campaign_master_sent", {
    steps: () => [
        { trigger: "a[name=campaign_master_sent_plan]", run: "click" },
        {
            content: "The texts and the list are locked, with the reason",
            trigger:
                ".o_form_view:not(:has([name=campaign_master_subject] input, [name=description] textarea, [name=campaign_master_from_name] input, [name=campaign_master_from_email] input, [name=campaign_master_reply_to] input, [name=campaign_master_list_id] input, button:contains('Change'))) .tab-pane.active p:contains('duplicate the campaign')",
        },
        {
            content: "The title is not",
            trigger: "[name=title] input",
        },
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        { trigger: "button:contains('Add Contacts')", run: "click" },
        {
            trigger:
                ".modal .alert:contains('“Spring offers” was sent on'):contains('will not receive it')",
        },
        { trigger: ".modal button[name=action_add]:contains('Add Anyway')" },
        { trigger: ".modal button[name=action_add_to_new_campaign]", run: "click" },
        { trigger: ".o_notification:contains('added to “Spring offers (copy)”')" },
        {
            content: "The new campaign is open",
            trigger: ".o_form_view [name=campaign_master_subject] input",
        },
        { trigger: "a[name=campaign_master_contacts]", run: "click" },
        { trigger: ".o_data_row:contains('Person 1')" },
    ],
});

/** A campaign is created while people are added to it. */
tours.add("campaign_master_create_on_the_fly", {
    steps: () => [
        { trigger: ".o_data_row:contains('Tick Me') .o_list_record_selector input", run: "click" },
        { trigger: ".o_cp_action_menus .dropdown-toggle", run: "click" },
        { trigger: ".o-dropdown--menu .dropdown-item:contains('Add to Campaign')", run: "click" },
        { trigger: ".modal [name=campaign_id] input", run: "click" },
        {
            content: "The newest campaign is first, and sent ones are marked",
            trigger: ".ui-autocomplete .ui-menu-item:first:contains('Summer offers (sent)')",
        },
        { trigger: ".modal [name=campaign_id] input", run: "edit Made here" },
        { trigger: ".ui-autocomplete .ui-menu-item:contains('Create \"Made here\"')", run: "click" },
        { trigger: ".modal [name=summary]:contains('1 recipient will be added.')" },
        { trigger: ".modal button[name=action_add]:contains('Add')", run: "click" },
        {
            trigger:
                ".o_notification:contains('1 recipient was added to “Made here”') a:contains('Open Campaign')",
        },
    ],
});

/** Where the first tab does not know yet that another has started a sync. */
tours.add("campaign_master_second_tab", {
    steps: () => [
        { trigger: "button[name=action_campaign_master_sync]", run: "click" },
        {
            trigger:
                ".o_notification:has(.bg-info):contains('“Spring offers” is already being synced')",
        },
        { trigger: ".o_campaign_master_sync_status[data-state=running]" },
    ],
});
